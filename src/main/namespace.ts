const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/**
 * 16 hexadecimal digits (cyrb53 with both of its words in full), so that two keys on one origin never mix. It guards
 * nothing: `crypto.subtle`, which could, is missing on insecure origins and answers too late.
 */
export const hash = (text: string): string => {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return hex(b) + hex(a);
};
