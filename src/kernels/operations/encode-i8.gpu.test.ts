/** Values in whole steps of a scale: what is rounded, how, and what restores a norm. */
import { selectOne } from '@/tensor/one-selection.fixture';
import { describe, expect, test } from 'vitest';
import { encodeAll, loadedPositions } from './test-encoded';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { deltas, type FakeGroup, fakeGroup, flatWeights } from '@/kernels/test-group';

const CASES = engineCases();

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0));
}

/** u around the base, as engines have it. */
async function taskVector(fake: FakeGroup): Promise<Float32Array> {
  const [task, base] = await Promise.all([
    flatWeights(fake, { kind: 'task', task: 0 }),
    flatWeights(fake, { kind: 'base' }),
  ]);
  return deltas(task, base);
}

describe.each(CASES)('I8 on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  /** One tensor whose base is `center` everywhere and whose task vector is u. */
  function groupOf(u: readonly number[], center = 0): FakeGroup {
    return fakeGroup(engine(), {
      sizes: [u.length],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 64,
      valueOf: (checkpoint, i) => (checkpoint === 0 ? center : u[i]!),
    });
  }

  async function encodedOf(fake: FakeGroup, percent: number) {
    const selection = await selectOne(fake.group, 'base', 0, 'global', percent);
    const [tensor] = await encodeAll(fake, selection, 'I8');
    const scored = await flatWeights(fake, { kind: 'sparse', selection, valueDtype: 'I8' });
    return { scale: tensor!.scale, q: [...new Int8Array(tensor!.values.buffer)], scored };
  }

  test('whole steps come out whole; halves go to the even one', async () => {
    // The largest is 127 steps of 2^-3, so u / step is exact.
    const steps = [127, -127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 63.5, 64.5, 0.25, -0.25, 0, 3];
    const fake = groupOf(steps.map((step) => step / 8));
    const { scale, q } = await encodedOf(fake, 100);
    expect(scale).toBe(1 / 8);
    expect(q).toEqual([127, -127, 0, 2, 2, 0, -2, -2, 64, 64, 0, 0, 0, 3]);
    fake.group.dispose();
  });

  test('off by half a step at most, by its own formula in float64', async () => {
    const u = Array.from({ length: 500 }, (_, i) => Math.fround(Math.sin(i * i) / 77));
    const fake = groupOf(u);
    const { scale, q } = await encodedOf(fake, 100);
    const largest = Math.max(...u.map(Math.abs));
    expect(scale).toBe(Math.fround(largest / 127));
    q.forEach((level, i) => {
      expect(Math.abs(level * scale! - u[i]!)).toBeLessThanOrEqual(0.5001 * scale!);
    });
    expect(Math.max(...q.map(Math.abs))).toBe(127);
    fake.group.dispose();
  });

  test('the step is that of the kept, by tensor', async () => {
    const fake = fakeGroup(engine(), {
      sizes: [20, 20, 20],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 32,
      valueOf: (c, i) =>
        c === 0 ? 0 : (1 + (i % 20)) * 10 ** Math.floor(i / 20) + (i < 40 ? 0 : 1),
    });
    const selection = await selectOne(fake.group, 'base', 0, 'global', 50);
    const encoded = await encodeAll(fake, selection, 'I8');
    // All of the last tensor; of the second the ten above 100.
    expect(encoded.map(({ tensor, kept }) => [tensor, kept])).toEqual([
      [1, 10],
      [2, 20],
    ]);
    expect(encoded.map(({ scale }) => scale)).toEqual([200, 2001].map((m) => Math.fround(m / 127)));
    fake.group.dispose();
  });

  test.each(['global', 'tensor'] as const)(
    'rescaled, what a tensor keeps has the norm of all, and steps alone differ: %s',
    async (scope) => {
      const sizes = [90, 37, 64, 20];
      // Narrow, wide, all alike, next to nothing.
      const spread = [1, 6, 0, 0.5];
      const starts = sizes.map((_, t) => sizes.slice(0, t).reduce((a, b) => a + b, 0));
      const valueOf = (checkpoint: number, i: number): number => {
        const tensor = starts.findLastIndex((start) => i >= start);
        const noise = Math.exp(spread[tensor]! * Math.sin(i * i));
        return checkpoint === 0 ? 0.25 : 0.25 + noise * (tensor === 3 ? 1e-3 : 1);
      };
      const fake = fakeGroup(engine(), {
        ...{ sizes, dtypeOf: () => 'F32', taskCount: 1, maxElements: 48, valueOf },
      });
      const u = await taskVector(fake);
      for (const percent of [5, 30, 100]) {
        const selection = await selectOne(fake.group, 'base', 0, scope, percent);
        const plain = await encodeAll(fake, selection, 'I8');
        const longer = await encodeAll(fake, selection, 'I8', true);
        const scored = await flatWeights(fake, {
          ...{ kind: 'sparse', selection, valueDtype: 'I8', rescaled: true },
        });
        const asPlain = longer.map((one, k) => ({ ...one, scale: plain[k]!.scale, gain: 1 }));
        expect(asPlain).toEqual(plain);
        // Values without steps stand as they are, and the gain is told.
        const floats = await encodeAll(fake, selection, 'F32');
        const told = await encodeAll(fake, selection, 'F32', true);
        const gains = longer.map((one) => one.gain);
        expect(told).toEqual(floats.map((one, k) => ({ ...one, gain: gains[k] })));
        longer.forEach((encoded, k) => {
          const { tensor, scale, values } = encoded;
          const positions = loadedPositions(encoded);
          const [start, end] = [starts[tensor]!, starts[tensor]! + sizes[tensor]!];
          const all = u.subarray(start, end);
          const kept = Float64Array.from(positions, (at) => all[at]!);
          const gain = Math.min(2, Math.round((32 * norm(all)) / norm(kept)) / 32);
          expect(gain).toBeGreaterThanOrEqual(1);
          if (percent === 100) expect(gain).toBe(1);
          expect(encoded.gain).toBe(gain);
          expect(scale).toBe(Math.fround(plain[k]!.scale! * gain));
          const q = new Int8Array(values.buffer);
          positions.forEach((at, n) => {
            const added = Math.fround(0.25 + Math.fround(q[n]! * scale!));
            expect(scored[start + at]).toBe(added);
          });
        });
        selection.dispose();
      }
      fake.group.dispose();
    },
  );

  test('rescaled, a tensor whose energy is no number keeps its step', async () => {
    const fake = groupOf([1e25, -2e25, 3e-30, 1e10]);
    const selection = await selectOne(fake.group, 'base', 0, 'global', 25);
    const [plain] = await encodeAll(fake, selection, 'I8');
    const [longer] = await encodeAll(fake, selection, 'I8', true);
    expect(longer).toEqual(plain);
    fake.group.dispose();
  });

  test('zeros only, next to nothing, NaN and infinity: step 0, and nothing is added', async () => {
    const cases = [
      [0, 0, -0, 0],
      [2 ** -140, -(2 ** -133), 2 ** -149, 0],
      [NaN, 1, 2, 3],
      [1, -Infinity, 2, 3],
    ];
    for (const u of cases) {
      const fake = groupOf(u, 0);
      const { scale, q, scored } = await encodedOf(fake, 100);
      expect(scale).toBe(0);
      expect(q).toEqual([0, 0, 0, 0]);
      expect([...scored]).toEqual([0, 0, 0, 0]);
      fake.group.dispose();
    }
  });

  test('the smallest step is a normal float32', async () => {
    const least = 127 * 2 ** -126;
    const fake = groupOf([least, -least / 127]);
    const { scale, q } = await encodedOf(fake, 100);
    expect(scale).toBe(2 ** -126);
    expect(q).toEqual([127, -1]);
    fake.group.dispose();
  });

  test('product and sum are rounded one after the other, and zero has no sign', async () => {
    const u = Array.from({ length: 2000 }, (_, i) => Math.fround(Math.sin(7 * i)));
    const center = Math.fround(0.1);
    const fake = groupOf(
      u.map((value) => center + value),
      center,
    );
    const { scale, q, scored } = await encodedOf(fake, 100);
    const apart = q.map((level) => Math.fround(center + Math.fround(level * scale!)));
    expect([...scored]).toEqual(apart);
    const fused = q.map((level) => Math.fround(center + level * scale!)); // exact in float64
    expect(apart).not.toEqual(fused);
    fake.group.dispose();
    const negative = groupOf([1, -(2 ** -20)], -0);
    expect(Object.is((await encodedOf(negative, 100)).scored[1], 0)).toBe(true);
    negative.group.dispose();
  });
});
