/**
 * Checkpoints of true size that are never stored: every byte follows from a seed, its tensor and
 * its place, and is made when it is asked for.
 */
import { createHash } from 'node:crypto';
import { type FixtureFile } from './content';

export interface SyntheticTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Default: the file's. */
  readonly dtype?: SyntheticDtype;
}

export type SyntheticDtype = 'F32' | 'F16' | 'BF16' | 'I64';

export interface SyntheticCheckpoint {
  readonly tensors: readonly SyntheticTensor[];
  readonly dtype: 'F32' | 'F16' | 'BF16';
  /** Files of one seed share their coarse values, as fine-tunes share those of their base. */
  readonly seed: number;
  /** 0 for the base; another number for each fine-tune, which differs in its fine bits. */
  readonly task?: number;
}

const BYTES: Readonly<Record<SyntheticDtype, number>> = { F32: 4, F16: 2, BF16: 2, I64: 8 };

interface Placed {
  readonly start: number;
  readonly end: number;
  readonly dtype: SyntheticDtype;
  readonly seed: number;
}

/** A safetensors file, tensors in the order given. Its hash is of its description, not its bytes. */
export function syntheticFile(checkpoint: SyntheticCheckpoint): FixtureFile {
  const { dtype: common, seed, task = 0 } = checkpoint;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const placed: Placed[] = [];
  let at = 0;
  for (const { name, shape, dtype = common } of checkpoint.tensors) {
    const end = at + BYTES[dtype] * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype, shape, data_offsets: [at, end] };
    placed.push({ start: at, end, dtype, seed: mix(seed, textSeed(name)) });
    at = end;
  }
  const text = JSON.stringify(header);
  // Padded to eight bytes, as the reference writer pads.
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  return {
    size: head.length + at,
    sha256: createHash('sha256').update(`${text} ${seed} ${task}`).digest('hex'),
    large: true,
    read: (start, end) => readSynthetic(head, placed, task, start, end),
  };
}

function readSynthetic(
  head: Uint8Array,
  placed: readonly Placed[],
  task: number,
  start: number,
  end: number,
): Uint8Array {
  const result = new Uint8Array(end - start);
  if (start < head.length) result.set(head.subarray(start, Math.min(end, head.length)));
  const [from, to] = [start - head.length, end - head.length];
  for (const tensor of placed) {
    if (tensor.end <= from) continue;
    if (tensor.start >= to) break;
    const first = Math.max(from, tensor.start);
    const last = Math.min(to, tensor.end);
    const bytes = tensorBytes(tensor, task, first - tensor.start, last - tensor.start);
    result.set(bytes, first - from);
  }
  return result;
}

/** Bytes [start, end) of a tensor, made word by word. */
function tensorBytes(tensor: Placed, task: number, start: number, end: number): Uint8Array {
  const firstWord = Math.floor(start / 4);
  const words = new Uint32Array(Math.ceil(end / 4) - firstWord);
  const make = WORDS[tensor.dtype];
  for (let i = 0; i < words.length; i++) words[i] = make(tensor.seed, firstWord + i, task);
  return new Uint8Array(words.buffer, start - 4 * firstWord, end - start);
}

const WORDS: Readonly<
  Record<SyntheticDtype, (seed: number, word: number, task: number) => number>
> = {
  // Magnitudes of 2^-7 to 2^-3: what weights of real models are like, never NaN or Inf.
  F32: (seed, word, task) => {
    const bits = mix(seed, word);
    const exponent = 120 + ((bits >>> 8) & 3);
    const coarse = (bits & 0x807f_0000) | (exponent << 23);
    return (coarse | (task === 0 ? 0 : mix(bits, task) & 0x3fff)) >>> 0;
  },
  F16: (seed, word, task) => {
    const bits = mix(seed, word);
    const coarse = (bits & 0x83f0_83f0) | 0x2000_2000 | ((bits << 2) & 0x0c00_0c00);
    return (coarse | (task === 0 ? 0 : mix(bits, task) & 0x0007_0007)) >>> 0;
  },
  BF16: (seed, word, task) => {
    const bits = mix(seed, word);
    const coarse = (bits & 0x807c_807c) | 0x3c00_3c00;
    return (coarse | (task === 0 ? 0 : mix(bits, task) & 0x0003_0003)) >>> 0;
  },
  // Counts up: positions.
  I64: (_seed, word) => (word % 2 === 0 ? word / 2 : 0),
};

/** A 32-bit hash of two numbers (the finalizer of MurmurHash3). */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(b + 0x7f4a_7c15, 0xc2b2_ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function textSeed(text: string): number {
  let seed = 0;
  for (let i = 0; i < text.length; i++) seed = mix(seed, text.charCodeAt(i));
  return seed;
}
