/** Requests to the People service. What the caller gets is always an answer: status 0 where none came. */
import type { Clock, Transport, WireAnswer, WireRequest } from "../core/ports.js";
import { fromJson } from "../protocol/json.js";
import { SECOND } from "../protocol/wire.js";

/** An answer is given up on after this. */
const ANSWER_TIMEOUT_MS = 30 * SECOND;
/** What the header costs that says how a body is encoded. */
const ENCODING_HEADER_BYTES = "Content-Encoding: gzip\r\n".length;
/** What a `Retry-After` beyond this asks for is no date that can be stored. */
const LONGEST_RETRY_AFTER_MS = 365 * 24 * 60 * 60 * SECOND;

/** Why a request was aborted by the tracker itself. */
const CUT_OFF = "cut off";

export class FetchTransport implements Transport {
  readonly #clock: Clock;
  readonly #underWay = new Set<AbortController>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async send({ method, url, headers, body, mayCompress }: WireRequest): Promise<WireAnswer> {
    const controller = new AbortController();
    this.#underWay.add(controller);
    const timer = setTimeout(() => controller.abort(), ANSWER_TIMEOUT_MS);
    try {
      const gzip = mayCompress ? await smallerThan(body) : null;
      const response = await fetch(url, {
        method,
        ...encoded(headers, body, gzip),
        credentials: "omit",
        redirect: "error",
        // Nothing caches what is posted, and two headers would say so in each request.
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
      // A broken connection, a redirect, a time-out, half a body: nobody knows what the service did.
      return controller.signal.reason === CUT_OFF ? { status: 0, cutOff: true } : { status: 0 };
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(controller);
    }
  }

  abortAll(): void {
    for (const controller of this.#underWay) controller.abort(CUT_OFF);
  }

  /** Seconds or a date. */
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
    return undefined; // not this service's answer: the caller judges by the shape
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

/** The body compressed, where that saves bytes; `null` elsewhere, and where the browser cannot compress. */
const smallerThan = async (body: string | undefined): Promise<ArrayBuffer | null> => {
  if (body === undefined || typeof CompressionStream !== "function") return null;
  const bytes = new TextEncoder().encode(body);
  const gzip = await compressed(bytes);
  return gzip.byteLength + ENCODING_HEADER_BYTES < bytes.byteLength ? gzip : null;
};

/**
 * Whole in memory, for only a body of known length can be sent without HTTP/2; as bytes, which no other process keeps.
 */
const compressed = (bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> => {
  const { readable, writable } = new CompressionStream("gzip");
  const writer = writable.getWriter();
  // What fails here fails the reading too.
  writer.write(bytes).catch(() => undefined);
  writer.close().catch(() => undefined);
  return new Response(readable).arrayBuffer();
};
