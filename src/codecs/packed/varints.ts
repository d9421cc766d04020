/** Whole numbers of any size, seven bits a byte, lowest first, 128 added to all bytes but the last (LEB128). */

export function writeVarint(into: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) into.push(128 + (rest % 128));
  into.push(rest);
}

/** @returns the number and where the next byte lies; null where the bytes end, or it is above 2^49 */
export function readVarint(
  bytes: Uint8Array,
  from: number,
): { value: number; next: number } | null {
  let [value, unit] = [0, 1];
  for (let at = from; at < Math.min(bytes.length, from + 7); at++) {
    const byte = bytes[at]!;
    value += (byte % 128) * unit;
    if (byte < 128) return { value, next: at + 1 };
    unit *= 128;
  }
  return null;
}
