/** 16 of `[a-z0-9]`, 82 bits. Unlike `randomUUID()`, `getRandomValues()` needs no secure context. */
export const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte % 36).toString(36)).join("");
