/**
 * The maximum depth of arrays and objects. The wire protocol needs seven levels: a batch, its operations, an operation, its
 * person, the custom attributes, a list, an item. The rest is reserved for later versions.
 */
export const MAX_NESTING = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{` differ in one bit, and so do `]` and `}`. */
const CASE_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Whether JSON is nested deeper than `max`, found in one pass over its bytes. Parsing and validating deeply nested JSON takes
 * a hundred times as long. Brackets in strings do not count. For invalid JSON the result is arbitrary, because the parser
 * refuses it anyway.
 */
export function isNestedDeeper(json: Uint8Array, max: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (isInString) {
      // An escaped byte does not end the string. All bytes of multi-byte characters are above 0x7f.
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if ((byte | CASE_BIT) === OPEN) {
      if (++depth > max) return true;
    } else if ((byte | CASE_BIT) === CLOSE) depth--;
  }
  return false;
}
