/**
 * Finds the benchmark's sequence numbers in what a tracker sends, in whichever encoding: gzip, deflate, a form field, JSON inside
 * of JSON, Base64.
 */
import { gunzipSync, inflateSync } from "node:zlib";

export const plain = (body: Buffer): Buffer => {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body);
  if (body[0] === 0x78 && body.readUInt16BE(0) % 31 === 0) return inflateSync(body);
  return body;
};

/** Matches `"sequence":12`, also with escaped quotes, or with the number in quotes. */
const SEQUENCE = /sequence\\*"\s*:\s*\\*"?(\d+)/g;
/** Matches a JSON object, or a list of objects, in Base64. */
const BASE64 = /(?:^|[="])((?:ey|W3)[\w+/-]{20,}={0,2})/g;

export const sequencesIn = (text: string): number[] => {
  const unescaped = /^[\w.]+=/.test(text) ? decodeURIComponent(text.replaceAll("+", " ")) : text;
  const found = [...unescaped.matchAll(SEQUENCE)].map(([, number]) => Number(number));
  if (found.length) return found;
  return [...unescaped.matchAll(BASE64)].flatMap(([, encoded = ""]) =>
    [...Buffer.from(encoded, "base64").toString().matchAll(SEQUENCE)].map(([, number]) => Number(number)),
  );
};
