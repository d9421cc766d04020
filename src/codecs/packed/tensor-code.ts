/** One tensor's kept entries, coded and decoded: the rounding to magnitudes, its gain, its blocks. */
import {
  BLOCK_ELEMENTS,
  type BlockShape,
  blockShape,
  decodeBlock,
  encodeBlock,
  gapsOf,
} from './block-code';
import { decisionBounds } from './codebook';
import { gainByte, gainOf } from './gain-byte';
import { bitsPerValue, type PackedFormat } from './packed-format';

/** Kept entries of a tensor. */
export interface KeptEntries {
  /** In the tensor, ascending. */
  readonly positions: Uint32Array<ArrayBuffer>;
  readonly values: Float32Array<ArrayBuffer>;
}

/** What a task's values are rounded to. */
export interface ValueCode {
  readonly format: PackedFormat;
  /** Magnitudes, float32, ascending (`codebook.ts`). */
  readonly codebook: Float32Array<ArrayBuffer>;
}

/** A block of a tensor, before it is written. */
export interface PlannedBlock {
  /** Of its tensor's, from 0. */
  readonly index: number;
  readonly shape: BlockShape;
}

export interface CodedBlock extends PlannedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface CodedTensor {
  /** Byte of `gain-byte.ts`: what all magnitudes are multiplied by. */
  readonly gain: number;
  /** Those that keep any, in order. */
  readonly blocks: readonly CodedBlock[];
}

/** Entries that are zero add nothing, and are not stored. */
export function withoutZeros(entries: KeptEntries): KeptEntries {
  const { positions, values } = entries;
  if (!values.includes(0)) return entries;
  return {
    positions: positions.filter((_, i) => values[i] !== 0),
    values: values.filter((value) => value !== 0),
  };
}

export function planBlocks({ positions }: KeptEntries): PlannedBlock[] {
  return blockRuns(positions).map(({ index, own }) => ({ index, shape: blockShape(gapsOf(own)) }));
}

/**
 * Rounds to the nearest magnitude, and makes what is rounded as long as the kept values are, times a
 * gain.
 *
 * @param norm what restores the norm of all of u (`norm-gain.ts`); 1 where it is not restored
 */
export function codeTensor(
  { positions, values }: KeptEntries,
  { format, codebook }: ValueCode,
  norm: number,
): CodedTensor {
  const signBit = 2 ** (bitsPerValue(format) - 1);
  const codes = codesOf(values, codebook, signBit);
  const blocks = blockRuns(positions).map(({ index, from, own }): CodedBlock => {
    const gaps = gapsOf(own);
    const shape = blockShape(gaps);
    const bytes = encodeBlock(gaps, codes.subarray(from, from + gaps.length), shape, format);
    return { index, shape, bytes };
  });
  return { gain: gainByte(norm * lengthening(values, codes, codebook, signBit)), blocks };
}

/**
 * What a loader reads.
 *
 * @param elementCount of the tensor
 * @returns null where the bytes of a block are none
 */
export function decodeTensor(
  { gain, blocks }: CodedTensor,
  { format, codebook }: ValueCode,
  elementCount: number,
): KeptEntries | null {
  const kept = blocks.reduce((sum, { shape }) => sum + shape.kept, 0);
  const positions = new Uint32Array(kept);
  const values = new Float32Array(kept);
  const table = valueTable(codebook, gain);
  let at = 0;
  for (const { index, shape, bytes } of blocks) {
    const start = index * BLOCK_ELEMENTS;
    const block = decodeBlock(bytes, shape, format, Math.min(BLOCK_ELEMENTS, elementCount - start));
    if (block === null) return null;
    for (let i = 0; i < shape.kept; i++, at++) {
      positions[at] = start + block.positions[i]!;
      values[at] = table[block.codes[i]!]!;
    }
  }
  return { positions, values };
}

/** By code: each magnitude times the gain, rounded to float32 once; then the same with a minus. */
function valueTable(codebook: Float32Array, gain: number): Float32Array {
  const factor = gainOf(gain);
  const magnitudes = codebook.map((magnitude) => magnitude * factor);
  return Float32Array.of(...magnitudes, ...magnitudes.map((magnitude) => -magnitude));
}

/** NaN and infinity take the largest magnitude. */
function codesOf(values: Float32Array, codebook: Float32Array, signBit: number): Uint32Array {
  const bounds = decisionBounds(codebook);
  const codes = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]!);
    let level = 0;
    while (level < bounds.length && !(magnitude < bounds[level]!)) level += 1;
    codes[i] = values[i]! < 0 ? signBit | level : level;
  }
  return codes;
}

/** Norm of the values over that of what they are rounded to. */
function lengthening(
  values: Float32Array,
  codes: Uint32Array,
  codebook: Float32Array,
  signBit: number,
): number {
  let [energy, rounded] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    energy += values[i]! * values[i]!;
    rounded += codebook[codes[i]! & (signBit - 1)]! ** 2;
  }
  return Math.sqrt(energy / rounded);
}

interface BlockRun {
  readonly index: number;
  /** Of its first entry, among the tensor's. */
  readonly from: number;
  /** Positions in the block. */
  readonly own: Uint32Array;
}

function blockRuns(positions: Uint32Array): BlockRun[] {
  const runs: BlockRun[] = [];
  for (let from = 0; from < positions.length;) {
    const index = Math.floor(positions[from]! / BLOCK_ELEMENTS);
    const start = index * BLOCK_ELEMENTS;
    let to = from + 1;
    while (to < positions.length && positions[to]! < start + BLOCK_ELEMENTS) to += 1;
    const own = positions.subarray(from, to).map((position) => position - start);
    runs.push({ index, from, own });
    from = to;
  }
  return runs;
}
