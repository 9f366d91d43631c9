/** Sends requests to the People service. It always resolves: with status 0 if there was no response. */
import type { Clock, Transport, WireAnswer, WireRequest } from "../core/ports.js";
import { fromJson } from "../protocol/json.js";
import { SECOND } from "../protocol/wire.js";

/** The timeout of a response. */
const RESPONSE_TIMEOUT_MS = 30 * SECOND;
/** The size of the header that reports how a body is encoded. */
const ENCODING_HEADER_BYTES = "Content-Encoding: gzip\r\n".length;
/** A longer `Retry-After` is shortened to this: a date too far ahead cannot be stored. */
const LONGEST_RETRY_AFTER_MS = 365 * 24 * 60 * 60 * SECOND;

/** Why a request was aborted by the tracker itself. */
const CUT_OFF = "cut off";

export class FetchTransport implements Transport {
  readonly #clock: Clock;
  readonly #pending = new Set<AbortController>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async send({ method, url, headers, body, mayCompress }: WireRequest): Promise<WireAnswer> {
    const controller = new AbortController();
    this.#pending.add(controller);
    const timer = setTimeout(() => controller.abort(), RESPONSE_TIMEOUT_MS);
    try {
      const gzip = mayCompress ? await smallerThan(body) : null;
      const response = await fetch(url, {
        method,
        ...encoded(headers, body, gzip),
        credentials: "omit",
        redirect: "error",
        // Nothing caches a POST, and two headers of each request would say so.
        ...(method === "GET" && { cache: "no-store" }),
        signal: controller.signal,
      });
      const text = await response.text();
      return {
        status: response.status,
        body: json(text),
        ...(gzip && { compressed: true as const }),
        ...this.#retryAfter(response.headers.get("Retry-After")),
        ...etagOf(response),
      };
    } catch {
      // A broken connection, a redirect, a timeout, half a body: what the service did is unknown.
      return controller.signal.reason === CUT_OFF ? { status: 0, cutOff: true } : { status: 0 };
    } finally {
      clearTimeout(timer);
      this.#pending.delete(controller);
    }
  }

  abortAll(): void {
    for (const controller of this.#pending) controller.abort(CUT_OFF);
  }

  /** Parses a header that holds seconds or a date. */
  #retryAfter(value: string | null): { retryAfterMs?: number } {
    if (value === null) return {};
    const ms = /^\d+$/.test(value.trim()) ? Number(value) * SECOND : Date.parse(value) - this.#clock.now();
    return Number.isNaN(ms) ? {} : { retryAfterMs: Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms)) };
  }
}

const json = (text: string): unknown => {
  try {
    return fromJson(text);
  } catch {
    return undefined; // not a response of this service: the caller checks the body's shape
  }
};

const etagOf = (response: Response): { etag?: string } => {
  const etag = response.headers.get("ETag");
  return etag === null ? {} : { etag };
};

const encoded = (
  headers: Record<string, string>,
  body: string | undefined,
  gzip: ArrayBuffer | null,
): RequestInit => {
  if (body === undefined) return { headers };
  const typed = { ...headers, "Content-Type": "application/json" };
  return gzip ? { headers: { ...typed, "Content-Encoding": "gzip" }, body: gzip } : { headers: typed, body };
};

/** Compresses a body if that makes the request smaller; `null` if not, or if the browser cannot compress. */
const smallerThan = async (body: string | undefined): Promise<ArrayBuffer | null> => {
  if (body === undefined || typeof CompressionStream !== "function") return null;
  const bytes = new TextEncoder().encode(body);
  const gzip = await compressed(bytes);
  return gzip.byteLength + ENCODING_HEADER_BYTES < bytes.byteLength ? gzip : null;
};

/**
 * Compresses a body in memory: without HTTP/2, a body must have a known length. It returns bytes and not a `Blob`, which the
 * browser would keep in another process.
 */
const compressed = (bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> => {
  const { readable, writable } = new CompressionStream("gzip");
  const writer = writable.getWriter();
  // An error here also fails the read below.
  writer.write(bytes).catch(() => undefined);
  writer.close().catch(() => undefined);
  return new Response(readable).arrayBuffer();
};
