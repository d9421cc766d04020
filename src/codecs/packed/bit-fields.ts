/** Whole numbers of a fixed width, one after the other, highest bit first, as `numpy.unpackbits` has them. */

/** Bytes of so many fields; the last one's spare bits are 0. */
export function fieldBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}

/**
 * @param fields below 2^width
 * @param width 0 to 25 bits
 */
export function writeFields(into: Uint8Array, fields: Uint32Array, width: number): void {
  if (width === 0) return;
  let [word, bits, at] = [0, 0, 0];
  for (let i = 0; i < fields.length; i++) {
    word = (word << width) | fields[i]!;
    for (bits += width; bits >= 8;) {
      bits -= 8;
      into[at++] = word >>> bits;
    }
  }
  if (bits > 0) into[at] = word << (8 - bits);
}

/** @param bytes `fieldBytes(count, width)` of them, or more */
export function readFields(bytes: Uint8Array, count: number, width: number): Uint32Array {
  const fields = new Uint32Array(count);
  if (width === 0) return fields;
  const mask = 2 ** width - 1;
  let [word, bits, at] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    for (; bits < width; bits += 8) word = (word << 8) | bytes[at++]!;
    bits -= width;
    fields[i] = (word >>> bits) & mask;
  }
  return fields;
}
