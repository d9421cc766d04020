/** Entries decoded from a file, added to their center: in memory on all engines, on GPUs in their buffers. */
import { describe, expect, test } from 'vitest';
import { type AddedEntries } from '@/tensor/engine';
import { linearMerge } from '@/tensor/merge-plan';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { useEngine } from '@/kernels/test-device';
import { fakeGroup, flatWeights, normalValues, raggedSizes, seeded } from '@/kernels/test-group';
import { readGpuWeights } from '@/kernels/test-readback';
import { entryWindows } from './add-entries';
import { firstDifference } from './test-encoded';

const SIZE = 4099;

function skewedGroup(engine: Parameters<typeof fakeGroup>[0]) {
  return fakeGroup(engine, {
    sizes: raggedSizes(SIZE),
    dtypeOf: (checkpoint, tensor) => (checkpoint === 0 && tensor !== 4 ? 'F32' : 'BF16'),
    taskCount: 1,
    maxElements: 500,
    valueOf: normalValues(5, SIZE, 1),
  });
}

/** Of every second tensor about a third, its first and last element among them. */
function someEntries(sizes: readonly number[]): AddedEntries[] {
  const random = seeded(3);
  const extremes = [2 ** -149, -(2 ** -130), 0, -0, 3e38, Infinity, NaN];
  return sizes.flatMap((size, tensor) => {
    if (size === 0 || tensor % 2 === 0) return [];
    const all = Array.from({ length: size }, (_, i) => i);
    const kept = all.filter((i) => i === 0 || i === size - 1 || random() < 0.3);
    const values = kept.map((_, i) => extremes[i] ?? random() - 0.5);
    return [{ tensor, positions: Uint32Array.from(kept), values: Float32Array.from(values) }];
  });
}

describe.each(engineCases())('added entries on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each(['base', 'merged'] as const)('are added in f32 to the %s', async (center) => {
    const fake = skewedGroup(engine());
    await fake.group.merge(linearMerge([0.4]), 'F16');
    const wanted = await flatWeights(fake, { kind: center });
    const sizes = fake.layout.tensors.map(({ elementCount }) => elementCount);
    const entries = someEntries(sizes);
    for (const { tensor, positions, values } of entries) {
      const { flatStart } = fake.layout.tensors[tensor]!;
      positions.forEach((at, i) => {
        wanted[flatStart + at] = Math.fround(wanted[flatStart + at]! + values[i]!);
      });
    }
    const added = await flatWeights(fake, { kind: 'added', center, entries });
    expect(firstDifference(added, wanted)).toBe(-1);
    const none = await flatWeights(fake, { kind: 'added', center, entries: [] });
    expect(firstDifference(none, await flatWeights(fake, { kind: center }))).toBe(-1);
    fake.group.dispose();
  });
});

describe.each(engineCases().filter(({ name }) => name.startsWith('webgpu')))(
  'added entries in buffers of $name',
  (engineCase) => {
    const engine = useEngine(engineCase);

    test('equal those in memory', async () => {
      const fake = skewedGroup(engine());
      await fake.group.merge(linearMerge([0.4]), 'F32');
      const sizes = fake.layout.tensors.map(({ elementCount }) => elementCount);
      // A GPU may flush subnormals, and need not keep NaN or infinity.
      const entries = someEntries(sizes).map((one) => ({
        ...one,
        values: one.values.map((v) => (Number.isFinite(v) && Math.abs(v) > 1e-30 ? v : 0.25)),
      }));
      const added = { kind: 'added', center: 'merged', entries } as const;
      const onGpu = await fake.group.materialize(added, 'gpu');
      const inMemory = await fake.group.materialize(added, 'cpu');
      for (const [name, { shape, data }] of inMemory.tensors) {
        const buffer = onGpu.tensors.get(name)!.data as GPUBuffer;
        const read = await readGpuWeights(engine(), buffer, shape[0]!);
        expect(firstDifference(read, data as Float32Array), name).toBe(-1);
      }
      onGpu.dispose();
      fake.group.dispose();
    });
  },
);

test('windows hold what fits, and begin where a binding may', () => {
  const random = seeded(8);
  const positions = Uint32Array.from(
    Array.from({ length: 5000 }, (_, i) => i).filter(() => random() < 0.2),
  );
  const most = { entries: 70, elements: 640, alignElements: 64 };
  const windows = entryWindows(positions, most);
  expect(windows[0]!.from).toBe(0);
  expect(windows.at(-1)!.to).toBe(positions.length);
  windows.forEach(({ from, to, firstElement }, i) => {
    if (i > 0) expect(from).toBe(windows[i - 1]!.to);
    expect(to - from).toBeGreaterThan(0);
    expect(to - from).toBeLessThanOrEqual(most.entries);
    expect(firstElement % most.alignElements).toBe(0);
    expect(positions[from]!).toBeGreaterThanOrEqual(firstElement);
    expect(positions[to - 1]! - firstElement).toBeLessThan(most.elements);
  });
  expect(entryWindows(new Uint32Array(0), most)).toEqual([]);
});
