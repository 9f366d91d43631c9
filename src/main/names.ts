/**
 * 16 hexadecimal digits (FNV-1a), so that two keys on one origin never mix. It protects no secret: `crypto.subtle`, which
 * could, is missing on insecure origins and is asynchronous.
 */
export const hash = (text: string): string => {
  let sum = 0xcbf29ce484222325n;
  for (const letter of text) {
    sum = BigInt.asUintN(64, (sum ^ BigInt(letter.codePointAt(0)!)) * 0x100000001b3n);
  }
  return sum.toString(16).padStart(16, "0");
};

/**
 * 16 random characters of `[a-z0-9]`, 82 bits. Unlike `randomUUID()`, `getRandomValues()` needs no secure context. Two
 * sources of randomness are mixed, for a page may have replaced either: one that always gives the same would give two
 * pages one id.
 */
export const randomId = (): string => {
  const bytes = new Uint8Array(16);
  try {
    globalThis.crypto.getRandomValues(bytes);
  } catch {
    // Not the browser's: `Math.random()` is left.
  }
  return Array.from(bytes, (byte) => (((byte + Math.random() * 256) | 0) % 36).toString(36)).join("");
};
