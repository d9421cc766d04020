/** For the tests of engines: groups of made-up checkpoints, and naive oracles in float64. */
import { type FloatDtype } from '@/tensor/dtype';
import { type Engine, type WeightGroup, type WeightsOf } from '@/tensor/engine';
import { encodeFloats, roundToDtype } from '@/tensor/half';
import { type Chunk, type FlatLayout, flatLayout, planChunks } from '@/tensor/layout';
import { isStreaming } from './engine-cases.fixture';

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number (Box and Muller). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Sizes of tensors that sum to `total`, none a friend of eight, with empty ones among them. */
export function raggedSizes(total: number): number[] {
  const sizes = [0];
  let left = total;
  for (let next = 1; left > 0; next = next * 3 + 2) {
    const size = Math.min(next, left);
    sizes.push(size);
    left -= size;
  }
  return [...sizes, 0];
}

export interface FakeGroupSpec {
  readonly sizes: readonly number[];
  /** Dtype of checkpoint c (0 = base) in tensor t. */
  readonly dtypeOf: (checkpoint: number, tensor: number) => FloatDtype;
  readonly taskCount: number;
  readonly maxElements: number;
  /** Value of checkpoint c at flat index i before rounding to its dtype. */
  readonly valueOf: (checkpoint: number, flatIndex: number) => number;
}

export interface FakeGroup {
  readonly group: WeightGroup;
  readonly layout: FlatLayout;
  readonly chunks: readonly Chunk[];
  /** By checkpoint: all values, flat, as their dtypes hold them. */
  readonly values: readonly Float32Array[];
}

/** Lays out, plans and uploads a group, or lets it read. */
export function fakeGroup(engine: Engine, spec: FakeGroupSpec): FakeGroup {
  return isStreaming(engine) ? streamedGroup(engine, spec) : residentGroup(engine, spec);
}

interface Page {
  readonly checkpoint: number;
  readonly chunkIndex: number;
}

export interface StreamedGroup extends FakeGroup {
  readonly budgetBytes: number;
  /** Lets reads of one page fail with a TypeError "dropped", or none. */
  readonly refuse: (bad: Page | null) => void;
  /** Every read so far. */
  readonly reads: { readonly checkpoint: number; readonly bytes: number }[];
}

/**
 * @param budgetOf from the least budget; default: something from that upward, by the size
 * @param mergedDtype the widest that theta* will have
 */
export function streamedGroup(
  engine: Engine,
  spec: FakeGroupSpec,
  budgetOf: (leastBytes: number) => number = (least) => least + 500 * (total(spec) % 7),
  mergedDtype: FloatDtype = 'F32',
): StreamedGroup {
  const fake = fakeCheckpoints(spec);
  const { layout, chunks, values } = fake;
  const shape = { layout, chunks, taskCount: spec.taskCount };
  const budgetBytes = budgetOf(engine.planMemory(shape, mergedDtype, Infinity).leastBytes);
  const reads: StreamedGroup['reads'] = [];
  let bad: Page | null = null;
  const read = async (checkpoint: number, chunkIndex: number) => {
    await Promise.resolve();
    if (bad?.checkpoint === checkpoint && bad.chunkIndex === chunkIndex)
      throw new TypeError('dropped');
    const { flatStart, elementCount, dtypes } = chunks[chunkIndex]!;
    const part = values[checkpoint]!.subarray(flatStart, flatStart + elementCount);
    const bytes = encodeFloats(part, dtypes[checkpoint]!);
    reads.push({ checkpoint, bytes: bytes.byteLength });
    return bytes;
  };
  const refuse = (page: Page | null): void => {
    bad = page;
  };
  const group = engine.createGroup({ ...shape, streamed: { read, budgetBytes } });
  return { group, ...fake, budgetBytes, refuse, reads };
}

function total({ sizes }: FakeGroupSpec): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A group that holds all its weights. */
export function residentGroup(engine: Engine, spec: FakeGroupSpec): FakeGroup {
  const { layout, chunks, values } = fakeCheckpoints(spec);
  const group = engine.createGroup({ layout, chunks, taskCount: spec.taskCount });
  for (const chunk of chunks) {
    values.forEach((flat, checkpoint) => {
      const part = flat.subarray(chunk.flatStart, chunk.flatStart + chunk.elementCount);
      group.upload(checkpoint, chunk.index, encodeFloats(part, chunk.dtypes[checkpoint]!));
    });
  }
  return { group, layout, chunks, values };
}

function fakeCheckpoints(spec: FakeGroupSpec) {
  const name = (tensor: number): string => `t${String(tensor).padStart(4, '0')}`;
  const layout = flatLayout(spec.sizes.map((size, t) => ({ name: name(t), shape: [size] })));
  const dtypeByName = (checkpoint: number, of: string): FloatDtype =>
    spec.dtypeOf(checkpoint, Number(of.slice(1)));
  const chunks = planChunks(layout, spec.taskCount + 1, dtypeByName, spec.maxElements);
  const values = Array.from({ length: spec.taskCount + 1 }, (_, checkpoint) => {
    const flat = new Float32Array(layout.elementCount);
    layout.tensors.forEach(({ flatStart, elementCount }, t) => {
      const dtype = spec.dtypeOf(checkpoint, t);
      for (let i = flatStart; i < flatStart + elementCount; i++) {
        flat[i] = roundToDtype(spec.valueOf(checkpoint, i), dtype);
      }
    });
    return flat;
  });
  return { layout, chunks, values };
}

/** Base weights of sigma 0.02 and fine-tunes that moved by sigma 0.001. */
export function normalValues(seed: number, elementCount: number, taskCount: number) {
  const random = seeded(seed);
  const base = Float64Array.from({ length: elementCount }, () => 0.02 * normal(random));
  const all = [base];
  for (let t = 0; t < taskCount; t++) {
    all.push(base.map((value) => value + 0.001 * normal(random)));
  }
  return (checkpoint: number, index: number): number => all[checkpoint]![index]!;
}

/** All weights of the model in flat order. */
export async function flatWeights(fake: FakeGroup, weights: WeightsOf): Promise<Float32Array> {
  const model = await fake.group.materialize(weights, 'cpu');
  const flat = new Float32Array(fake.layout.elementCount);
  for (const { name, flatStart } of fake.layout.tensors) {
    flat.set(model.tensors.get(name)!.data as Float32Array, flatStart);
  }
  model.dispose();
  return flat;
}

/** u of every entry, by one rounded subtraction. */
export function deltas(task: Float32Array, center: Float32Array): Float32Array {
  return task.map((value, i) => Math.fround(value - center[i]!));
}

/** Flat indices of the k largest magnitudes among [start, end), lowest index first among equals. */
export function topByFullSort(u: Float32Array, start: number, end: number, k: number): number[] {
  const indices = Array.from({ length: end - start }, (_, i) => start + i);
  return indices.sort((a, b) => Math.abs(u[b]!) - Math.abs(u[a]!) || a - b).slice(0, k);
}

/** Indices of the bits that are set. */
export function setBits(mask: Uint32Array): number[] {
  const indices: number[] = [];
  mask.forEach((word, w) => {
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) indices.push(32 * w + bit);
  });
  return indices;
}
