import { describe, expect, it } from 'vitest';
import { type ByteSource } from '@/tensor/byte-source';
import { encodeGaps } from '@/codecs/gaps';
import { checkpointTensors, readFlatRange } from '@/tensor/checkpoint-tensors';
import { type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { flatLayout } from '@/tensor/layout';
import { RemoteBytes, tallyOf } from '@/tensor/remote-bytes';
import { readRange, readSafetensorsHeader } from '@/tensor/safetensors';
import { type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';
import { readSparseFile } from './sparse-file';
import { checkSparseFits, virtualCheckpoint } from './virtual-checkpoint';

/** The same numbers for the same seed: a plain LCG. */
function numbers(seed: number, count: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 0.1;
  });
}

interface Kept {
  readonly positions: readonly number[];
  readonly values: Float32Array;
}

/** What the values are once they were stored and read again. */
function stored({ values }: Kept, dtype: ValueDtype, step: number): Float32Array {
  if (dtype !== 'I8') return decodeFloats(encodeFloats(values, dtype), dtype);
  return values.map((value) => Math.round(value / step) * step);
}

const STEP = Math.fround(0.05 / 127);

function entry(name: string, kept: Kept, dtype: ValueDtype): Record<string, FixtureTensor> {
  const values: FixtureTensor =
    dtype === 'I8'
      ? {
          dtype,
          shape: [kept.values.length],
          bytes: new Uint8Array(
            Int8Array.from(kept.values, (value) => Math.round(value / STEP)).buffer,
          ),
        }
      : { dtype, shape: [kept.values.length], bytes: encodeFloats(kept.values, dtype) };
  const gaps = encodeGaps(kept.positions);
  const step = new Uint8Array(Float32Array.of(STEP).buffer);
  return {
    ...(dtype === 'I8' ? { [`${name}.scale`]: { dtype: 'F32', shape: [1], bytes: step } } : {}),
    [`${name}.values`]: values,
    [`${name}.gaps`]: { dtype: 'U8', shape: [gaps.length], bytes: gaps },
  };
}

function sparseBytes(tensors: Record<string, FixtureTensor>): Uint8Array<ArrayBuffer> {
  const kept = Object.entries(tensors)
    .filter(([name]) => name.endsWith('.values'))
    .reduce((sum, [, { shape }]) => sum + shape[0]!, 0);
  return soundFile(tensors, {
    format: 'peru-sparse',
    version: '1',
    merged_sha256: 'ab'.repeat(32),
    m: '10',
    kept: String(kept),
    recipe: '{}',
  });
}

async function open(merged: Uint8Array<ArrayBuffer>, sparse: Uint8Array<ArrayBuffer>) {
  const [mergedBlob, source] = [new Blob([merged]), new Blob([sparse])];
  const header = await readSafetensorsHeader(mergedBlob, 'merged.safetensors');
  const file = readSparseFile(await readSafetensorsHeader(source, 'cola.sparse.safetensors'));
  return {
    merged: checkpointTensors('merged', [{ blob: mergedBlob, header }]),
    sparse: { source, file },
  };
}

const SIZES = { b: [300], a: [7, 11], z: [1000], untouched: [5] } as const;

function mergedTensor(name: keyof typeof SIZES, dtype: FloatDtype): FixtureTensor {
  const shape = SIZES[name];
  const count = shape.reduce((product: number, size) => product * size, 1);
  return { dtype, shape, bytes: encodeFloats(numbers(name.charCodeAt(0), count), dtype) };
}

const KEPT: Readonly<Record<'a' | 'z', Kept>> = {
  a: { positions: [0, 1, 76], values: numbers(5, 3) },
  // Gaps of 255 and more, and the last element.
  z: { positions: [254, 255, 300, 810, 999], values: numbers(6, 5) },
};

describe.each(['F16', 'BF16', 'F32', 'I8'] as const)('values of %s', (valueDtype) => {
  const build = async (mergedDtype: FloatDtype) => {
    const names = ['b', 'a', 'untouched', 'z'] as const;
    const merged = soundFile(
      Object.fromEntries(names.map((name) => [name, mergedTensor(name, mergedDtype)])),
    );
    const sparse = sparseBytes({
      ...entry('z', KEPT.z, valueDtype),
      ...entry('a', KEPT.a, valueDtype),
      head: { dtype: 'F32', shape: [2], bytes: new Uint8Array(8).fill(3) },
    });
    const opened = await open(merged, sparse);
    const changed = new Set(['a', 'b', 'z']);
    const task = virtualCheckpoint('cola', opened.merged, opened.sparse, changed);
    const expected = (name: 'a' | 'b' | 'z'): Float32Array => {
      const { bytes } = mergedTensor(name, mergedDtype);
      const theta = decodeFloats(bytes, mergedDtype);
      if (name === 'b') return theta;
      stored(KEPT[name], valueDtype, STEP).forEach((value, i) => {
        const at = KEPT[name].positions[i]!;
        theta[at] = Math.fround(theta[at]! + value);
      });
      return theta;
    };
    return { task, expected };
  };

  it.each(['F16', 'BF16', 'F32'] as const)(
    'are added to theta* of %s bit for bit',
    async (dtype) => {
      const { task, expected } = await build(dtype);
      for (const name of ['a', 'b', 'z'] as const) {
        const { source, byteStart, byteLength, dtype: held, shape } = task.tensors.get(name)!;
        expect([held, shape]).toEqual(['F32', SIZES[name]]);
        const bytes = await readRange(source, byteStart, byteStart + byteLength, name);
        expect(bytes).toEqual(new Uint8Array(expected(name).buffer));
      }
      expect(task.tensors.has('untouched')).toBe(false);
    },
  );

  it('are the same in whatever ranges and order they are read', async () => {
    const { task, expected } = await build('F16');
    const { source } = task.tensors.get('a')!;
    const whole = new Uint8Array(
      [...expected('a'), ...expected('b'), ...expected('z')].flatMap((value) => [
        ...new Uint8Array(Float32Array.of(value).buffer),
      ]),
    );
    expect(source.size).toBe(whole.length);
    const cuts = [0, 1, 4, 30, 307, 308, 309, 1500, 1508, 2526, 2528, 2532, 4000, 5507, 5508];
    const ranges = cuts.flatMap((from, i) => cuts.slice(i).map((to) => [from, to] as const));
    const orders = [ranges, ranges.toReversed(), cuts.slice(1).map((to, i) => [cuts[i]!, to])];
    for (const order of orders) {
      for (const [from, to] of order) {
        const bytes = await source.slice(from, to).arrayBuffer();
        expect(Buffer.compare(new Uint8Array(bytes), whole.subarray(from, to))).toBe(0);
      }
    }
  });

  it('are the same in reads at the same time', async () => {
    const { task, expected } = await build('F16');
    const { source, byteStart } = task.tensors.get('z')!;
    const whole = new Uint8Array(expected('z').buffer);
    const read = (from: number, to: number) =>
      bytesOf(source.slice(byteStart + from, byteStart + to));
    // All but the first go on where it ended.
    await read(0, 1200);
    const ranges = [1200, 1204, 3000, 3600].map((from) => [from, 4000] as const);
    const found = await Promise.all(ranges.map(([from, to]) => read(from, to)));
    expect(found).toEqual(ranges.map(([from, to]) => whole.slice(from, to)));
  });

  it('come with the tensors that the task keeps whole', async () => {
    const { task } = await build('F16');
    const { source, byteStart, byteLength } = task.tensors.get('head')!;
    const bytes = await bytesOf(source.slice(byteStart, byteStart + byteLength));
    expect(bytes).toEqual(new Uint8Array(8).fill(3));
  });
});

it('keeps its own tensor in the place of the merged one', async () => {
  const own: FixtureTensor = { dtype: 'F16', shape: [3, 2], bytes: new Uint8Array(12) };
  const { merged, sparse } = await open(
    soundFile({ a: mergedTensor('a', 'F32'), b: mergedTensor('b', 'F32') }),
    sparseBytes({ b: own, ...entry('a', KEPT.a, 'F16') }),
  );
  const { tensors, byteLength } = virtualCheckpoint('t', merged, sparse, new Set(['a', 'b']));
  expect(tensors.get('b')).toMatchObject({ dtype: 'F16', shape: [3, 2], source: sparse.source });
  expect([...tensors.keys()]).toEqual(['a', 'b']);
  expect(byteLength).toBe(sparse.source.size);
});

/** A file that counts what is read of it. */
class Counted extends RemoteBytes {
  readonly reads: [number, number][] = [];
  constructor(readonly content: Uint8Array<ArrayBuffer>) {
    super();
  }
  override get size(): number {
    return this.content.length;
  }
  override read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    this.reads.push([start, end]);
    return Promise.resolve(this.content.slice(start, end));
  }
}

describe('reads of files elsewhere', () => {
  const build = async () => {
    const mergedFile = new Counted(
      soundFile({ a: mergedTensor('a', 'F16'), z: mergedTensor('z', 'F16') }),
    );
    const sparseFile = new Counted(
      sparseBytes({ ...entry('a', KEPT.a, 'F16'), ...entry('z', KEPT.z, 'F16') }),
    );
    const header = await readSafetensorsHeader(mergedFile, 'm');
    const merged = checkpointTensors('m', [{ blob: mergedFile, header }]);
    const file = readSparseFile(await readSafetensorsHeader(sparseFile, 's'));
    const sparse = { source: sparseFile, file };
    const task = virtualCheckpoint('t', merged, sparse, new Set(['a', 'z']));
    mergedFile.reads.length = sparseFile.reads.length = 0;
    return { task, mergedFile, sparseFile };
  };

  it('are one for what lies side by side', async () => {
    const { task, mergedFile, sparseFile } = await build();
    const layout = flatLayout([...task.tensors.values()]);
    await readFlatRange(task, layout, 0, layout.elementCount);
    expect([mergedFile.reads.length, sparseFile.reads.length]).toEqual([1, 1]);
  });

  it('fetch the kept entries of a tensor once, though it is cut', async () => {
    const { task, sparseFile } = await build();
    const layout = flatLayout([...task.tensors.values()]);
    for (let at = 0; at < layout.elementCount; at += 100) {
      await readFlatRange(task, layout, at, Math.min(100, layout.elementCount - at));
    }
    expect(sparseFile.reads).toHaveLength(1);
  });

  it('count as bytes of the sparse vector, which are all that the base does not', async () => {
    const { task, sparseFile } = await build();
    const { source, byteStart, byteLength } = task.tensors.get('z')!;
    const parts = 5 * 2 + encodeGaps(KEPT.z.positions).length;
    const tally = await tallyOf(source, byteStart, byteStart + byteLength);
    expect(tally).toEqual({ neededBytes: parts, toFetchBytes: parts, keptBytes: 0 });
    expect(sparseFile.reads).toEqual([]);
  });
});

describe('a sparse vector that does not fit', () => {
  const gapsOf = (bytes: readonly number[], count: number): Uint8Array<ArrayBuffer> =>
    sparseBytes({
      'a.values': { dtype: 'F16', shape: [count], bytes: new Uint8Array(2 * count) },
      'a.gaps': { dtype: 'U8', shape: [bytes.length], bytes: Uint8Array.from(bytes) },
    });
  const readAll = async (sparseFile: Uint8Array<ArrayBuffer>, step: number) => {
    const opened = await open(soundFile({ a: mergedTensor('a', 'F16') }), sparseFile);
    const { tensors } = virtualCheckpoint('t', opened.merged, opened.sparse, new Set(['a']));
    const { source } = tensors.get('a')!;
    for (let at = 0; at < source.size; at += step) {
      await source.slice(at, Math.min(source.size, at + step)).arrayBuffer();
    }
  };

  it.each([
    ['gaps that run past the tensor', [78], 1, /reach position 77, past the tensor's end at 77/],
    ['gaps far past the tensor', [1, 255, 255, 3], 2, /past the tensor's end/],
    ['a position twice', [3, 0], 2, /keep one position twice/],
    ['a position before the first', [0, 1], 2, /keep one position twice/],
    ['more positions than values', [1, 1, 1], 2, /fewer values/],
    ['values without a position', [255, 1], 2, /past the tensor's end|no position/],
    ['skips that lead nowhere', [1, 255], 1, /end without a last position/],
  ])('for %s is refused, naming file and tensor', async (_, bytes, count, message) => {
    for (const step of [77 * 4, 40]) {
      const reading = readAll(gapsOf(bytes, count), step);
      await expect(reading).rejects.toMatchObject({ kind: 'parse' });
      await expect(readAll(gapsOf(bytes, count), step)).rejects.toThrow(message);
      await expect(readAll(gapsOf(bytes, count), step)).rejects.toThrow(
        /cola\.sparse\.safetensors.*"a"/,
      );
    }
  });

  it('for values that its gaps do not place is refused', async () => {
    const { merged, sparse } = await open(
      soundFile({ z: mergedTensor('z', 'F16') }),
      sparseBytes({
        'z.values': { dtype: 'F16', shape: [2], bytes: new Uint8Array(4) },
        'z.gaps': { dtype: 'U8', shape: [2], bytes: Uint8Array.of(255, 1) },
      }),
    );
    const { source } = virtualCheckpoint('t', merged, sparse, new Set(['z'])).tensors.get('z')!;
    await expect(source.arrayBuffer()).rejects.toThrow(/1 of its values have no position/);
  });

  it('for a tensor that the merged model lacks is refused by name', async () => {
    const { merged, sparse } = await open(
      soundFile({ b: mergedTensor('b', 'F16') }),
      sparseBytes(entry('a', KEPT.a, 'F16')),
    );
    expect(() => {
      checkSparseFits(sparse, merged);
    }).toThrow(/cola\.sparse\.safetensors changes the tensor "a".*merged/);
  });
});

async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  return new Uint8Array(await source.arrayBuffer());
}
