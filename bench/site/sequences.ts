/**
 * Finds the benchmark's sequence numbers in what a tracker sends, whatever it wraps them in: gzip, deflate, a form's
 * field, JSON inside of JSON, Base64.
 */
import { gunzipSync, inflateSync } from "node:zlib";

export const plain = (body: Buffer): Buffer => {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body);
  if (body[0] === 0x78 && body.readUInt16BE(0) % 31 === 0) return inflateSync(body);
  return body;
};

/** `"sequence":12`, also with its quotes escaped, or the number in quotes. */
const SEQUENCE = /sequence\\*"\s*:\s*\\*"?(\d+)/g;
/** A JSON object or a list of them in Base64. */
const BASE64 = /(?:^|[="])((?:ey|W3)[\w+/-]{20,}={0,2})/g;

export const sequencesIn = (text: string): number[] => {
  const unescaped = /^[\w.]+=/.test(text) ? decodeURIComponent(text.replaceAll("+", " ")) : text;
  const found = [...unescaped.matchAll(SEQUENCE)].map(([, number]) => Number(number));
  if (found.length) return found;
  return [...unescaped.matchAll(BASE64)].flatMap(([, encoded = ""]) =>
    [...Buffer.from(encoded, "base64").toString().matchAll(SEQUENCE)].map(([, number]) => Number(number)),
  );
};
