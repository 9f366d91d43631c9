/** Requests to the People service. What the caller gets is always an answer: status 0 where none came. */
import type { Clock, Transport, WireAnswer, WireRequest } from "../core/ports.js";
import { fromJson } from "../protocol/json.js";
import { SECOND } from "../protocol/wire.js";

/** An answer is given up on after this. */
const ANSWER_TIMEOUT_MS = 30 * SECOND;
/** Below this, compressing costs more than it saves. */
const COMPRESS_FROM_CHARACTERS = 2_048;
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
    const compresses = mayCompress === true && isWorthCompressing(body);
    try {
      const response = await fetch(url, {
        method,
        ...(await encoded(headers, body, compresses)),
        credentials: "omit",
        redirect: "error",
        cache: "no-store",
        signal: controller.signal,
      });
      const text = await response.text();
      return {
        status: response.status,
        body: json(text),
        ...(compresses && { compressed: true as const }),
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

const isWorthCompressing = (body: string | undefined): boolean =>
  body !== undefined && body.length >= COMPRESS_FROM_CHARACTERS && typeof CompressionStream === "function";

const encoded = async (
  headers: Record<string, string>,
  body: string | undefined,
  compresses: boolean,
): Promise<RequestInit> => {
  if (body === undefined) return { headers };
  const typed = { ...headers, "Content-Type": "application/json" };
  if (!compresses) return { headers: typed, body };
  return { headers: { ...typed, "Content-Encoding": "gzip" }, body: await compressed(body) };
};

/**
 * Whole in memory, for only a body of known length can be sent without HTTP/2; as bytes, which no other process keeps.
 */
const compressed = (body: string): Promise<ArrayBuffer> => {
  const { readable, writable } = new CompressionStream("gzip");
  const writer = writable.getWriter();
  // What fails here fails the reading too.
  writer.write(new TextEncoder().encode(body)).catch(() => undefined);
  writer.close().catch(() => undefined);
  return new Response(readable).arrayBuffer();
};
