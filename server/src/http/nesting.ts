/**
 * Arrays and objects within each other. What the wire knows needs seven: a batch, its operations, one of them, its
 * person, the custom attributes, a list, an item. The rest is room for fields of later versions.
 */
export const MAX_NESTING = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{` differ in one bit, and so do `]` and `}`. */
const CASE_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Whether JSON holds more than so many arrays and objects within each other, told from its bytes in one pass. A parser
 * and the schemas behind it take a hundred times as long for them. Brackets in strings do not count; of what is no JSON it
 * may say either, for the parser refuses that.
 */
export function isNestedDeeper(json: Uint8Array, max: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (isInString) {
      // Whatever is escaped, the next byte ends no string. Bytes of longer characters are all above 0x7f.
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if ((byte | CASE_BIT) === OPEN) {
      if (++depth > max) return true;
    } else if ((byte | CASE_BIT) === CLOSE) depth--;
  }
  return false;
}
