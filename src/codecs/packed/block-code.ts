/**
 * One block's kept entries as bytes: quotients of the gaps (`rice.ts`), then for each entry its gap's low
 * bits, sign and level as one field (`bit-fields.ts`). Every block stands by itself.
 */
import { type PackedFormat, bitsPerValue } from './packed-format';
import { fieldBytes, readFields, writeFields } from './bit-fields';
import { bestLowBits, quotientBits, readQuotients, writeQuotients } from './rice';

/** Elements of a tensor that a block covers, the last one of it fewer. */
export const BLOCK_ELEMENTS = 2 ** 18;

/** What a block's bytes take, and how they are cut. */
export interface BlockShape {
  /** At least one. */
  readonly kept: number;
  /** k of its Rice codes. */
  readonly lowBits: number;
  readonly quotientBytes: number;
}

/** Kept entries of one block. */
export interface BlockEntries {
  /** From its start, ascending. */
  readonly positions: Uint32Array;
  /** Sign and level of each, the sign as its highest bit. */
  readonly codes: Uint32Array;
}

export function blockBytes(
  { kept, lowBits, quotientBytes }: BlockShape,
  format: PackedFormat,
): number {
  return quotientBytes + fieldBytes(kept, lowBits + bitsPerValue(format));
}

/** Distances less one: elements that are passed over before each entry. */
export function gapsOf(positions: Uint32Array): Uint32Array {
  const gaps = new Uint32Array(positions.length);
  let next = 0;
  for (let i = 0; i < positions.length; i++) {
    gaps[i] = positions[i]! - next;
    next = positions[i]! + 1;
  }
  return gaps;
}

/** @param gaps of at least one entry */
export function blockShape(gaps: Uint32Array): BlockShape {
  const lowBits = bestLowBits(gaps);
  const quotientBytes = Math.ceil(quotientBits(gaps, lowBits) / 8);
  return { kept: gaps.length, lowBits, quotientBytes };
}

export function encodeBlock(
  gaps: Uint32Array,
  codes: Uint32Array,
  shape: BlockShape,
  format: PackedFormat,
): Uint8Array<ArrayBuffer> {
  const { lowBits, quotientBytes } = shape;
  const valueBits = bitsPerValue(format);
  const bytes = new Uint8Array(blockBytes(shape, format));
  writeQuotients(bytes, gaps, lowBits);
  const lowMask = 2 ** lowBits - 1;
  const fields = new Uint32Array(codes.length);
  for (let i = 0; i < fields.length; i++) {
    fields[i] = ((gaps[i]! & lowMask) << valueBits) | codes[i]!;
  }
  writeFields(bytes.subarray(quotientBytes), fields, lowBits + valueBits);
  return bytes;
}

/**
 * @param bytes `blockBytes` of them
 * @param elementCount of the block
 * @returns null where they lead past the block's end, or not to so many entries
 */
export function decodeBlock(
  bytes: Uint8Array,
  { kept, lowBits, quotientBytes }: BlockShape,
  format: PackedFormat,
  elementCount: number,
): BlockEntries | null {
  const valueBits = bitsPerValue(format);
  const quotients = readQuotients(bytes.subarray(0, quotientBytes), kept);
  if (quotients === null) return null;
  const fields = readFields(bytes.subarray(quotientBytes), kept, lowBits + valueBits);
  const [positions, codes] = [new Uint32Array(kept), fields];
  const [valueMask, unit] = [2 ** valueBits - 1, 2 ** lowBits];
  let next = 0;
  for (let i = 0; i < kept; i++) {
    const field = fields[i]!;
    next += quotients[i]! * unit + (field >>> valueBits);
    if (next >= elementCount) return null;
    positions[i] = next;
    codes[i] = field & valueMask;
    next += 1;
  }
  return { positions, codes };
}
