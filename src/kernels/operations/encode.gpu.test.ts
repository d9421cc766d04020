import { describe, expect, test } from 'vitest';
import { encodeGaps } from '@/codecs/gaps';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { createReferenceEngine } from '@/reference/engine';
import { FLOAT_DTYPES, type FloatDtype, VALUE_DTYPES } from '@/tensor/dtype';
import { type Center, type EncodedTensor, type Scope, type Selection } from '@/tensor/engine';
import { decodeFloats } from '@/tensor/half';
import { linearMerge } from '@/tensor/merge-plan';
import { countsOf, selectOne } from '@/tensor/one-selection.fixture';
import { bitsOf, encodeAll, firstDifference, loadedPositions, loadedWeights } from './test-encoded';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import {
  type FakeGroup,
  fakeGroup,
  type FakeGroupSpec,
  flatWeights,
  normalValues,
  raggedSizes,
  residentGroup,
  setBits,
} from '@/kernels/test-group';

const CASES = engineCases();
const SIZE = 4099;

/** Tensors askew in their chunks, cut by them, some empty; halves of a coarse grid tie. */
function askewSpec(base: FloatDtype, isCoarse = false): FakeGroupSpec {
  const values = normalValues(21, SIZE, 2);
  return {
    sizes: raggedSizes(SIZE),
    dtypeOf: (checkpoint, tensor) => (checkpoint === 1 && tensor % 3 === 0 ? 'F16' : base),
    taskCount: 2,
    maxElements: 700,
    valueOf: (c, i) => (isCoarse ? Math.round(1000 * values(c, i)) / 1000 : values(c, i)),
  };
}

/** Positions kept in each tensor, by the mask. */
async function keptByTensor({ group, layout }: FakeGroup, selection: Selection) {
  const kept = setBits(await group.keptMask(selection));
  return layout.tensors.map(({ flatStart, elementCount }) =>
    kept
      .filter((flat) => flat >= flatStart && flat < flatStart + elementCount)
      .map((flat) => flat - flatStart),
  );
}

/** Encoded entries stand where the mask says, in canonical order, and are what `materialize` adds. */
async function expectFaithful(fake: FakeGroup, selection: Selection): Promise<void> {
  const positions = await keptByTensor(fake, selection);
  const counts = positions.flatMap((at, tensor) =>
    at.length > 0 ? [{ tensor, kept: at.length, gapBytes: encodeGaps(at).length }] : [],
  );
  expect(await countsOf(fake.group, selection)).toEqual(counts);
  const keeping = positions.flatMap((at, tensor) => (at.length > 0 ? [tensor] : []));
  for (const valueDtype of VALUE_DTYPES) {
    const encoded = await encodeAll(fake, selection, valueDtype);
    expect(encoded.map(({ tensor }) => tensor)).toEqual(keeping);
    for (const { tensor, kept, gaps, values, scale } of encoded) {
      expect(kept).toBe(positions[tensor]!.length);
      expect(firstDifference(gaps, encodeGaps(positions[tensor]!))).toBe(-1);
      expect(values.byteLength).toBe(VALUE_CODECS[valueDtype].bytesPerValue * kept);
      expect(scale === null).toBe(valueDtype !== 'I8');
    }
    const loaded = await loadedWeights(fake, selection.center, encoded, valueDtype);
    const scored = await flatWeights(fake, { kind: 'sparse', selection, valueDtype });
    expect(firstDifference(bitsOf(loaded), bitsOf(scored)), valueDtype).toBe(-1);
  }
}

describe.each(CASES)('encoding on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each(FLOAT_DTYPES.flatMap((base) => [true, false].map((isCoarse) => ({ base, isCoarse }))))(
    'files hold what is scored: base $base, ties $isCoarse',
    async ({ base, isCoarse }) => {
      const fake = fakeGroup(engine(), askewSpec(base, isCoarse));
      await fake.group.merge(linearMerge([0.4, 0.3]), base);
      for (const center of ['merged', 'base'] as Center[]) {
        for (const [scope, percent] of [
          ['global', 10],
          ['tensor', 3],
          ['global', 0.05],
        ] as [Scope, number][]) {
          const selection = await selectOne(fake.group, center, 0, scope, percent);
          await expectFaithful(fake, selection);
          selection.dispose();
        }
      }
      fake.group.dispose();
    },
  );

  test('nothing kept: no tensors; everything kept: all but the empty ones', async () => {
    const fake = fakeGroup(engine(), askewSpec('F16'));
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F16');
    for (const scope of ['global', 'tensor'] as Scope[]) {
      const none = await selectOne(fake.group, 'merged', 1, scope, 0);
      for (const dtype of VALUE_DTYPES) expect(await encodeAll(fake, none, dtype)).toEqual([]);
      const all = await selectOne(fake.group, 'merged', 1, scope, 100);
      await expectFaithful(fake, all);
      const sizes = (await encodeAll(fake, all, 'F32')).map(({ kept }) => kept);
      expect(sizes).toEqual(raggedSizes(SIZE).filter((size) => size > 0));
    }
    fake.group.dispose();
  });

  test.each([
    ['short', [0, 1, 2, 7, 8, 31, 32, 33]],
    ['about one skip', [0, 254, 508, 763, 1018, 1274, 1530]],
    ['a late first, many skips', [300, 810, 811, 1576, 2600, 4130, 4131]],
    ['across blocks', [254, 16_383, 16_384, 32_768 + 255, 50_000]],
    ['long empty blocks', [65_535]],
    ['the first and the last', [0, 69_999]],
  ])('gaps: %s', async (_, positions) => {
    const moved = new Set(positions.map((position) => position + 5));
    const fake = fakeGroup(engine(), {
      sizes: [5, 70_000, 3],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 30_000,
      // As many as there are entries that moved: 0 stays out of the selection.
      valueOf: (checkpoint, i) => (checkpoint === 1 && moved.has(i) ? 1 + (i % 7) : 0),
    });
    const percent = (100 * positions.length) / fake.layout.elementCount;
    const selection = await selectOne(fake.group, 'base', 0, 'global', percent);
    const [encoded, ...others] = await encodeAll(fake, selection, 'F32');
    expect(others).toEqual([]);
    expect(encoded!.tensor).toBe(1);
    expect(loadedPositions(encoded!)).toEqual(positions);
    expect(encoded!.gaps).toEqual(encodeGaps(positions));
    const values = new Float32Array(encoded!.values.buffer);
    expect([...values]).toEqual(positions.map((position) => 1 + ((position + 5) % 7)));
    fake.group.dispose();
  });

  test('many windows: what does not fit one readback comes in several', async () => {
    const size = 90_000;
    const fake = fakeGroup(engine(), {
      sizes: [20_001, 1, 0, size - 20_002],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 17_000,
      valueOf: normalValues(4, size, 1),
    });
    await expectFaithful(fake, await selectOne(fake.group, 'base', 0, 'global', 100));
    await expectFaithful(fake, await selectOne(fake.group, 'base', 0, 'tensor', 37));
    fake.group.dispose();
  });

  test('subnormal halves, and zeros of both signs', async () => {
    const halves = [2 ** -24, -(2 ** -24), 3 * 2 ** -24, 2 ** -15, -0, 0, 2 ** -14, -1];
    const fake = fakeGroup(engine(), {
      sizes: [40, 25],
      dtypeOf: () => 'F16',
      taskCount: 1,
      maxElements: 64,
      valueOf: (checkpoint, i) =>
        checkpoint === 0 ? halves[(3 * i) % 8]! * (i % 2) : halves[i % 8]!,
    });
    await fake.group.merge(linearMerge([0.5]), 'F16');
    for (const center of ['merged', 'base'] as Center[]) {
      for (const percent of [20, 60, 100]) {
        await expectFaithful(fake, await selectOne(fake.group, center, 0, 'global', percent));
      }
    }
    fake.group.dispose();
  });

  test('the engines agree on every byte', async () => {
    const twin = residentGroup(createReferenceEngine(), askewSpec('BF16', true));
    const fake = fakeGroup(engine(), askewSpec('BF16', true));
    for (const { group } of [twin, fake]) await group.merge(linearMerge([0.25, 0.5]), 'BF16');
    for (const scope of ['global', 'tensor'] as Scope[]) {
      const [its, mine] = [
        await selectOne(twin.group, 'merged', 1, scope, 7),
        await selectOne(fake.group, 'merged', 1, scope, 7),
      ];
      for (const dtype of VALUE_DTYPES) {
        expect(await encodeAll(fake, mine, dtype)).toEqual(await encodeAll(twin, its, dtype));
      }
    }
    fake.group.dispose();
  });

  test('whoever stops half-way leaves the group usable and holds nothing', async () => {
    const fake = fakeGroup(engine(), askewSpec('F16'));
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F16');
    const selection = await selectOne(fake.group, 'merged', 0, 'global', 10);
    const expected = await encodeAll(fake, selection, 'F16');
    const seen: EncodedTensor[] = [];
    for await (const tensor of fake.group.encodeKept(selection, 'F16')) {
      seen.push(tensor);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(expected.slice(0, 2));
    expect(await encodeAll(fake, selection, 'F16')).toEqual(expected);
    fake.group.dispose();
  });

  test('a stale or foreign selection is refused', async () => {
    const fake = fakeGroup(engine(), askewSpec('F16'));
    const other = residentGroup(createReferenceEngine(), askewSpec('F16'));
    await fake.group.merge(linearMerge([0.5, 0.5]), 'F16');
    const foreign = await selectOne(other.group, 'base', 0, 'global', 10);
    await expect(encodeAll(fake, foreign, 'F16')).rejects.toMatchObject({ kind: 'internal' });
    const stale = await selectOne(fake.group, 'merged', 0, 'global', 10);
    await fake.group.merge(linearMerge([0.5, 0.25]), 'F16');
    await expect(encodeAll(fake, stale, 'I8')).rejects.toThrow(/changed/);
    fake.group.dispose();
  });
});

describe.each(CASES)('theta* as stored on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each(FLOAT_DTYPES)('%s: any run of any tensor', async (dtype) => {
    const fake = fakeGroup(engine(), askewSpec('F32'));
    await fake.group.merge(linearMerge([0.4, 0.3]), dtype);
    const merged = await flatWeights(fake, { kind: 'merged' });
    for (const { flatStart, elementCount } of fake.layout.tensors) {
      const runs = [
        [0, elementCount],
        [Math.floor(elementCount / 3), Math.ceil(elementCount / 2)],
        [elementCount, 0],
      ] as const;
      for (const [from, count] of runs) {
        const bytes = await fake.group.readMerged(flatStart + from, count);
        const expected = merged.subarray(flatStart + from, flatStart + from + count);
        const read = bitsOf(decodeFloats(bytes, dtype));
        expect(firstDifference(read, bitsOf(expected.slice()))).toBe(-1);
      }
    }
    fake.group.dispose();
  });

  test('a tensor of several chunks, each read by pieces', async () => {
    const size = 70_001;
    const fake = fakeGroup(engine(), {
      sizes: [3, size],
      dtypeOf: () => 'F32',
      taskCount: 1,
      maxElements: 30_000,
      valueOf: (_, i) => i,
    });
    await fake.group.merge(linearMerge([0.5]), 'F32');
    const bytes = await fake.group.readMerged(3 + 11, size - 11);
    const expected = Array.from({ length: size - 11 }, (_, i) => i + 3 + 11);
    expect(firstDifference(decodeFloats(bytes, 'F32'), expected)).toBe(-1);
    fake.group.dispose();
  });

  test('not before a merge, and not across tensors', async () => {
    const fake = fakeGroup(engine(), askewSpec('F16'));
    await expect(fake.group.readMerged(0, 1)).rejects.toThrow(/before any merge/);
    await fake.group.merge(linearMerge([1, 1]), 'F16');
    await expect(fake.group.readMerged(0, SIZE)).rejects.toThrow(/inside one tensor/);
    await expect(fake.group.readMerged(SIZE - 1, 2)).rejects.toThrow(/inside one tensor/);
    fake.group.dispose();
  });
});
