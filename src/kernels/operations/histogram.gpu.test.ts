import { describe, expect, test } from 'vitest';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import {
  deltas,
  fakeGroup,
  flatWeights,
  normalValues,
  raggedSizes,
  residentGroup,
} from '@/kernels/test-group';
import { linearMerge } from '@/tensor/merge-plan';

/** Counts by comparing values with the bins' edges, not by looking at bits. */
function countByValue(u: Float32Array): Map<number, number> {
  const edges = new Float32Array(Uint32Array.from({ length: 2040 }, (_, b) => b << 20).buffer);
  const counts = new Map<number, number>();
  for (const value of u) {
    const magnitude = Math.abs(value);
    let bin = 0;
    for (let step = 1024; step >= 1; step /= 2) {
      if (bin + step < 2040 && edges[bin + step]! <= magnitude) bin += step;
    }
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return counts;
}

function nonEmpty(counts: Uint32Array): Map<number, number> {
  return new Map([...counts.entries()].filter(([, count]) => count > 0));
}

function sorted(map: Map<number, number>): [number, number][] {
  return [...map].sort(([a], [b]) => a - b);
}

describe.each(engineCases())('histogram on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([1, 8, 65, 4099])('%i entries fall into the bins of their magnitude', async (size) => {
    const fake = fakeGroup(engine(), {
      sizes: raggedSizes(size),
      dtypeOf: (checkpoint) => (checkpoint === 1 ? 'F16' : 'F32'),
      taskCount: 2,
      maxElements: 1000,
      valueOf: normalValues(size, size, 2),
    });
    await fake.group.merge(linearMerge([0.5, 0.5]), 'BF16');
    const centers = {
      base: fake.values[0]!,
      merged: await flatWeights(fake, { kind: 'merged' }),
    };
    for (const center of ['base', 'merged'] as const) {
      for (const task of [0, 1]) {
        const { counts } = await fake.group.histogram(center, task);
        const expected = countByValue(deltas(fake.values[task + 1]!, centers[center]));
        expect(counts.length).toBe(2048);
        expect(sorted(nonEmpty(counts))).toEqual(sorted(expected));
      }
    }
    fake.group.dispose();
  });

  test('every power of two that float32 holds, and infinity, has its bin', async () => {
    const powers = Array.from({ length: 255 }, (_, i) => 2 ** (i - 126)); // 2^128 is infinity
    const fake = fakeGroup(engine(), {
      sizes: [powers.length],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 256,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? 0 : powers[i]!),
    });
    const { counts } = await fake.group.histogram('base', 0);
    const expected = powers.map((_, i) => [8 * (i + 1), 1]); // exponent field, 3 fraction bits
    expect(sorted(nonEmpty(counts))).toEqual(expected);
    fake.group.dispose();
  });

  test('zeros and padding: the counts of an odd number of zeros sum to that number', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [13],
      dtypeOf: () => 'F16',
      taskCount: 1,
      maxElements: 64,
      valueOf: (_, i) => i,
    });
    const { counts } = await fake.group.histogram('base', 0);
    expect(sorted(nonEmpty(counts))).toEqual([[0, 13]]);
    fake.group.dispose();
  });

  test('is counted anew after a merge and after an upload', async () => {
    const fake = residentGroup(engine(), {
      sizes: [8],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 64,
      valueOf: (checkpoint) => checkpoint,
    });
    const bin = async (center: 'base' | 'merged'): Promise<number | undefined> => {
      const { counts } = await fake.group.histogram(center, 0);
      return [...nonEmpty(counts).keys()][0];
    };
    await fake.group.merge(linearMerge([0]), 'F32');
    expect(await bin('merged')).toBe(0x3f80_0000 >>> 20); // 1
    await fake.group.merge(linearMerge([0.5]), 'F32');
    expect(await bin('merged')).toBe(0x3f00_0000 >>> 20); // 0.5
    const moved = new Uint8Array(new Float32Array(8).fill(4).buffer);
    fake.group.upload(1, 0, moved);
    expect(await bin('base')).toBe(0x4080_0000 >>> 20); // 4
    fake.group.dispose();
  });
});
