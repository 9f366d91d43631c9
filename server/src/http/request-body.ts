import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { problemOf } from "../../../src/protocol/schemas/parse.js";
import type { ReserveBytes } from "./bytes-in-flight.js";
import { isNestedDeeper, MAX_NESTING } from "./nesting.js";
import { Problem } from "./problem.js";

/** The size of most decompressed bodies, or a few times that. */
const CHUNK_BYTES = 64 * 1024;
/** The maximum body of all requests but batches: the longest JWT is an eighth of it, the largest definition a third. */
export const SMALL_BODY_BYTES = 64 * 1024;

/** Reads and validates the JSON body of a request; throws a 400, 413 or 415 if it is invalid. */
export async function readBody<Output>(
  request: Request,
  schema: v.GenericSchema<unknown, Output>,
  maxBytes: number,
  reserve: ReserveBytes,
): Promise<Output> {
  return parseBody(await receiveBody(request, maxBytes, reserve), schema, maxBytes);
}

/** Receives a body without decompressing it. Its bytes are reserved before they arrive. */
export async function receiveBody(
  request: Request,
  maxBytes: number,
  reserve: ReserveBytes,
): Promise<Buffer> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (!["identity", "gzip", "x-gzip"].includes(encoding))
    throw new Problem(4150, "the content encoding must be gzip or none", { "Accept-Encoding": "gzip" });
  const length = request.headers.get("content-length");
  if (length === null) return readStream(request, maxBytes, reserve);
  if (Number(length) > maxBytes) throw tooLarge(maxBytes);
  reserve(Number(length));
  // No more bytes than announced can arrive, and reading them at once is cheaper than a stream.
  return Buffer.from(await request.arrayBuffer().catch(cutOff));
}

/** Decompresses, parses and validates a body. `maxBytes` also limits the decompressed size, against compression bombs. */
export function parseBody<Output>(
  bytes: Buffer,
  schema: v.GenericSchema<unknown, Output>,
  maxBytes: number,
): Output {
  const json = isGzip(bytes) ? decompress(bytes, maxBytes) : bytes;
  if (isNestedDeeper(json, MAX_NESTING))
    throw new Problem(4000, `the body is nested deeper than ${MAX_NESTING} arrays and objects`);
  const result = v.safeParse(schema, parseJson(json), { abortEarly: true });
  if (result.success) return result.output;
  throw new Problem(4000, problemOf(result.issues[0]));
}

/**
 * Detects gzip by its first bytes, with which no JSON begins, rather than by the header: a proxy may decompress the body and
 * keep the header, or drop the header.
 */
const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * The decompressed size of a body, by the length field at the end of gzip. A false length only changes the body's place in
 * the queue: decompression is limited by itself.
 */
export const unpackedLength = (bytes: Buffer): number =>
  isGzip(bytes) && bytes.length >= 4
    ? Math.max(bytes.length, bytes.readUInt32LE(bytes.length - 4))
    : bytes.length;

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(storable(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    throw new Problem(4000, "the body is not JSON in UTF-8");
  }
}

const tooLarge = (maxBytes: number) => new Problem(4130, `the body is larger than ${maxBytes} bytes`);

/** Receives a body without `Content-Length`. */
async function readStream(request: Request, maxBytes: number, reserve: ReserveBytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  try {
    for (;;) {
      const next = await reader?.read().catch(cutOff);
      if (!next?.value) return Buffer.concat(chunks);
      length += next.value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      reserve(next.value.length);
      chunks.push(next.value);
    }
  } catch (error) {
    reader?.cancel().catch(() => undefined);
    throw error;
  }
}

const cutOff = (): never => {
  throw new Problem(4000, "the body was cut off");
};

/** Decompresses synchronously, because the thread pool would cost more than it saves for a megabyte at most. */
function decompress(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
      ? tooLarge(maxBytes)
      : new Problem(4000, "the body is not gzip");
  }
}

/** An escaped backslash, or an escape of NUL or of a surrogate, with its pair if it has one. */
const ESCAPES =
  /\\\\|\\u0000|\\u[dD][89aAbB][0-9a-fA-F]{2}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}/g;

/**
 * Replaces what PostgreSQL cannot store in strings: NUL and unpaired surrogates become U+FFFD. Unpaired surrogates come
 * from texts that a page cut in the middle of an emoji, and the event is worth keeping. The replacement works on the JSON
 * text, so that it covers names and values at any depth.
 */
const storable = (json: string): string =>
  // Most bodies contain no escape, and searching for a backslash is cheap.
  !json.includes("\\")
    ? json
    : json.replace(ESCAPES, (escape) => (escape === "\\\\" || escape.length === 12 ? escape : "\\ufffd"));
