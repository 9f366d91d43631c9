import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { problemOf } from "../../src/protocol/schemas/parse.js";
import type { TakeBytes } from "./bytes-in-flight.js";
import { isNestedDeeper, MAX_NESTING } from "./nesting.js";
import { Problem } from "./problem.js";

/** What most bodies unfold into, or a few times that. */
const CHUNK_BYTES = 64 * 1024;
/** What every request but a batch may hold: the longest JWT is an eighth of it, the largest definition a third. */
export const SMALL_BODY_BYTES = 64 * 1024;

/** A small request's JSON as a schema has it; a 400, 413 or 415 otherwise. */
export async function readBody<Output>(
  request: Request,
  schema: v.GenericSchema<unknown, Output>,
  maxBytes: number,
  take: TakeBytes,
): Promise<Output> {
  return parseBody(await receiveBody(request, maxBytes, take), schema, maxBytes);
}

/** Receives a body, and leaves it as it is. Its bytes are taken before they come. */
export async function receiveBody(request: Request, maxBytes: number, take: TakeBytes): Promise<Buffer> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (!["identity", "gzip", "x-gzip"].includes(encoding))
    throw new Problem(4150, "the content encoding must be gzip or none", { "Accept-Encoding": "gzip" });
  const length = request.headers.get("content-length");
  if (length === null) return readStream(request, maxBytes, take);
  if (Number(length) > maxBytes) throw tooLarge(maxBytes);
  take(Number(length));
  // No more can come than was announced, and it comes cheaper whole than through a stream.
  return Buffer.from(await request.arrayBuffer().catch(cutOff));
}

/** `maxBytes` counts as sent and again as decompressed, so that a small body cannot unfold into a large one. */
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
  throw new Problem(4000, problemOf(result.issues[0]).slice(0, 500).toWellFormed());
}

/**
 * Told from the first bytes, with which no JSON begins: a proxy may have decompressed the body and left the header, or
 * have dropped the header.
 */
const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * How many bytes a body will be once it is decompressed, as its own end says. One that lies is served as if it were
 * smaller, and unfolds into no more than any other.
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

/** A body that comes without its length. */
async function readStream(request: Request, maxBytes: number, take: TakeBytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  try {
    for (;;) {
      const next = await reader?.read().catch(cutOff);
      if (!next?.value) return Buffer.concat(chunks);
      length += next.value.length;
      if (length > maxBytes) throw tooLarge(maxBytes);
      take(next.value.length);
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

/** At once: a megabyte at most takes less than parsing it, and a thread's way there and back costs more than it saves. */
function decompress(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
      ? tooLarge(maxBytes)
      : new Problem(4000, "the body is not gzip");
  }
}

/** Either a backslash that stands for itself, or an escape of a code unit that PostgreSQL cannot hold by itself. */
const ESCAPES =
  /\\\\|\\u0000|\\u[dD][89aAbB][0-9a-fA-F]{2}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}/g;

/**
 * JSON of which every string can be stored: NUL and halves of surrogate pairs become U+FFFD, as they would wherever text
 * is written as UTF-8. They come from texts that a page cut in the middle of an emoji, and an event is worth more than
 * its half emoji. Done on the text, so that names, values and any depth are covered at once.
 */
const storable = (json: string): string =>
  // Most bodies hold no escape at all, and looking for a backslash costs next to nothing.
  !json.includes("\\")
    ? json
    : json.replace(ESCAPES, (escape) => (escape === "\\\\" || escape.length === 12 ? escape : "\\ufffd"));
