/** Longest element for the bytes it takes: a copy of 64 in three bytes. */
const MOST_GROWTH = 64 / 3;
/** Of the length that a block announces: 32 bits. */
const MOST_LENGTH_BYTES = 5;

/**
 * Unpacks as much of a Snappy block as its beginning gives.
 * Format: github.com/google/snappy, format_description.txt.
 *
 * @param packed the block, or its first bytes
 * @param length bytes of the whole block once unpacked, which the block must announce too; no more
 *   room is made than `packed` can fill
 * @returns the first bytes of the block, at most `length`
 * @throws Error where the block breaks its format
 */
export function unpackSnappyPrefix(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const announced = readLength(packed);
  if (announced === null) return new Uint8Array(0);
  if (announced.length !== length) {
    throw new Error(`a Snappy block announces ${announced.length} bytes, and its page ${length}`);
  }
  const out = new Uint8Array(Math.min(length, Math.ceil(MOST_GROWTH * packed.length)));
  let at = announced.headBytes;
  let filled = 0;
  while (at < packed.length) {
    const { kind, size, value, headBytes } = readElement(packed, at);
    if (at + headBytes > packed.length) break;
    at += headBytes;
    if (filled + size > length) throw new Error('a Snappy block is longer than it says');
    if (kind === 'literal') {
      const some = packed.subarray(at, at + size);
      out.set(some, filled);
      filled += some.length;
      if (some.length < size) break;
      at += size;
    } else {
      if (value === 0 || value > filled) throw new Error('a Snappy copy from before the block');
      // Byte by byte: source and target may overlap, which repeats a pattern.
      for (let i = 0; i < size; i++, filled++) out[filled] = out[filled - value]!;
    }
  }
  return out.subarray(0, filled);
}

/** What the block says of its length, in groups of seven bits; null where it goes on. */
function readLength(
  packed: Uint8Array,
): { readonly length: number; readonly headBytes: number } | null {
  let length = 0;
  for (const [i, byte] of packed.subarray(0, MOST_LENGTH_BYTES).entries()) {
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { length, headBytes: i + 1 };
  }
  if (packed.length < MOST_LENGTH_BYTES) return null;
  throw new Error('a Snappy block does not say how long it is');
}

interface Element {
  readonly kind: 'literal' | 'copy';
  /** Bytes it gives. */
  readonly size: number;
  /** How far back a copy begins. */
  readonly value: number;
  /** Bytes before a literal's own. */
  readonly headBytes: number;
}

function readElement(packed: Uint8Array, at: number): Element {
  const tag = packed[at]!;
  const byte = (i: number): number => packed[at + i] ?? 0;
  const upper = tag >>> 2;
  switch (tag & 3) {
    case 0: {
      const extra = Math.max(0, upper - 59);
      let size = extra === 0 ? upper : 0;
      for (let i = 0; i < extra; i++) size += byte(i + 1) * 2 ** (8 * i);
      return { kind: 'literal', size: size + 1, value: 0, headBytes: 1 + extra };
    }
    case 1: {
      const value = ((tag >>> 5) << 8) | byte(1);
      return { kind: 'copy', size: (upper & 7) + 4, value, headBytes: 2 };
    }
    case 2:
      return { kind: 'copy', size: upper + 1, value: byte(1) | (byte(2) << 8), headBytes: 3 };
    default: {
      const value = byte(1) + byte(2) * 2 ** 8 + byte(3) * 2 ** 16 + byte(4) * 2 ** 24;
      return { kind: 'copy', size: upper + 1, value, headBytes: 5 };
    }
  }
}
