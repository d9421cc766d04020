import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ValueDtype, VALUE_DTYPES } from '@/tensor/dtype';
import { type FlatLayout, flatLayout } from '@/tensor/layout';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { decodeGaps } from '@/codecs/decode-gaps.fixture';
import { encodeGaps } from '@/codecs/gaps';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { keptCosts } from './kept-costs.fixture';
import { buildSafetensorsHeader, entryBytes, type HeaderEntry } from '@/export/safetensors-writer';
import { sparseHeader, type SparseHeaderSpec, sparseMetadata } from './sparse-size';

const facts = { keptPercent: 10, recipeJson: '{"mergeMethod":"task-arithmetic","λ":0.3}' };

interface SparseFileSpec extends Omit<SparseHeaderSpec, 'costs'> {
  readonly layout: FlatLayout;
  readonly mask: Uint32Array;
}

/** Bytes of a sparse file, and of its parts by the ends of their names. */
function sparseFileSize({ layout, mask, ...spec }: SparseFileSpec) {
  const costs = keptCosts(layout, mask);
  const { entries, header } = sparseHeader({ ...spec, costs });
  const own = new Set(spec.ownTensors?.map(({ name }) => name));
  const bytesOf = (ending: RegExp): number =>
    entries
      .filter(({ name }) => !own.has(name) && ending.test(name))
      .reduce((sum, entry) => sum + entryBytes(entry), 0);
  return {
    bytes: header.fileBytes,
    kept: costs.reduce((sum, cost) => sum + cost.kept, 0),
    gapBytes: bytesOf(/\.gaps$/),
    valueBytes: bytesOf(/\.(?:values|scale)$/),
    ownBytes: (spec.ownTensors ?? []).reduce((sum, entry) => sum + entryBytes(entry), 0),
  };
}

/** Positions kept in each tensor, one entry at a time: slow and plain. */
function keptPositions(layout: FlatLayout, mask: Uint32Array): Map<string, number[]> {
  const isKept = (i: number): boolean => ((mask[i >> 5]! >>> (i & 31)) & 1) === 1;
  return new Map(
    layout.tensors.map(({ name, flatStart, elementCount }) => {
      const all = Array.from({ length: elementCount }, (_, i) => i);
      return [name, all.filter((i) => isKept(flatStart + i))];
    }),
  );
}

/** A whole sparse file, from positions; values are zeros, for only sizes are compared. */
function encodeSparse(positions: ReadonlyMap<string, number[]>, dtype: ValueDtype): Blob {
  const kept = [...positions].filter(([, list]) => list.length > 0);
  const gaps = kept.map(([, list]) => encodeGaps(list));
  const total = kept.reduce((sum, [, list]) => sum + list.length, 0);
  const { bytes } = buildSafetensorsHeader(
    [
      ...(dtype === 'I8' ? kept : []).map(([name]): HeaderEntry => {
        return { name: `${name}.scale`, dtype: 'F32', shape: [1] };
      }),
      ...kept.map(([name, list]): HeaderEntry => {
        return { name: `${name}.values`, dtype, shape: [list.length] };
      }),
      ...kept.map(([name], i): HeaderEntry => {
        return { name: `${name}.gaps`, dtype: 'U8', shape: [gaps[i]!.length] };
      }),
    ],
    sparseMetadata({ ...facts, version: 1, kept: total }),
  );
  const scales = dtype === 'I8' ? kept.length * 4 : 0;
  return new Blob([
    bytes,
    new Uint8Array(scales + total * VALUE_CODECS[dtype].bytesPerValue),
    ...gaps,
  ]);
}

/** Tensors of sizes that straddle words, and masks with runs, holes and lone bits. */
const layouts = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 31, 32, 33, 64), fc.nat({ max: 1500 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((sizes) => flatLayout(sizes.map((size, i) => ({ name: `t${i}.weight`, shape: [size] }))));
const cases = layouts.chain((layout) =>
  fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.constant(0xffffffff) },
        { weight: 1, arbitrary: fc.nat({ max: 0xffffffff }) },
        { weight: 2, arbitrary: fc.nat({ max: 31 }).map((bit) => (1 << bit) >>> 0) },
      ),
      {
        minLength: Math.ceil(layout.elementCount / 32),
        maxLength: Math.ceil(layout.elementCount / 32),
      },
    )
    .map((words) => ({ layout, mask: Uint32Array.from(words) })),
);

describe('keptCosts', () => {
  it('counts what encoding the positions one by one takes', () => {
    fc.assert(
      fc.property(cases, ({ layout, mask }) => {
        const expected = [...keptPositions(layout, mask)]
          .filter(([, list]) => list.length > 0)
          .map(([name, list]) => ({
            name,
            kept: list.length,
            gapBytes: encodeGaps(list).length,
          }));
        expect(keptCosts(layout, mask)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a mask shorter than the flat space', () => {
    const layout = flatLayout([{ name: 'a', shape: [65] }]);
    expect(() => keptCosts(layout, new Uint32Array(2))).toThrow(/too short/);
  });
});

describe('the size of a sparse file', () => {
  it('equals the size of the file as encoded', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...VALUE_DTYPES), ({ layout, mask }, valueDtype) => {
        const spec: SparseFileSpec = { layout, mask, valueDtype, ...facts };
        const size = sparseFileSize(spec);
        const file = encodeSparse(keptPositions(layout, mask), valueDtype);
        expect(size.bytes).toBe(file.size);
        const kept = [...keptPositions(layout, mask).values()].filter((list) => list.length > 0);
        const scales = valueDtype === 'I8' ? 4 * kept.length : 0;
        expect(size.valueBytes).toBe(size.kept * VALUE_CODECS[valueDtype].bytesPerValue + scales);
      }),
      { numRuns: 200 },
    );
  });

  it('describes a file that Peru itself can read back', async () => {
    const layout = flatLayout([
      { name: 'a', shape: [40, 20] },
      { name: 'b', shape: [3] },
    ]);
    const mask = new Uint32Array(26);
    for (const bit of [0, 5, 799, 801]) mask[bit >> 5]! |= 1 << (bit & 31);
    const file = encodeSparse(keptPositions(layout, mask), 'F16');
    const header = await readSafetensorsHeader(file, 'x.sparse.safetensors');
    const gaps = async (name: string) => [
      ...decodeGaps(await readTensorBytes(file, header, `${name}.gaps`)),
    ];
    expect(await gaps('a')).toEqual([0, 5, 799]);
    expect(await gaps('b')).toEqual([1]);
    expect(header.metadata.get('format')).toBe('peru-sparse');
    expect(header.metadata.get('kept')).toBe('4');
    expect(header.metadata.get('merged_sha256')).toHaveLength(64);
    // Values lie before gaps, so that they are aligned.
    expect(header.tensors.get('b.values')!.byteStart % 2).toBe(0);
  });

  it('counts tensors kept whole, before the values', () => {
    const layout = flatLayout([{ name: 'a', shape: [64] }]);
    const spec: SparseFileSpec = {
      layout,
      mask: new Uint32Array([7, 0]),
      valueDtype: 'F16',
      ...facts,
    };
    const without = sparseFileSize(spec);
    const ownTensors = [{ name: 'classifier.weight', dtype: 'F32', shape: [10, 3] }] as const;
    const size = sparseFileSize({ ...spec, ownTensors });
    expect(size).toMatchObject({ kept: 3, valueBytes: 6, gapBytes: 3, ownBytes: 120 });
    const headerBytes = size.bytes - 120 - 6 - 3;
    expect(headerBytes).toBeGreaterThan(without.bytes - 9);
    expect(headerBytes % 8).toBe(0);
  });

  it('is a header alone when nothing is kept', () => {
    const layout = flatLayout([{ name: 'a', shape: [64] }]);
    const size = sparseFileSize({ layout, mask: new Uint32Array(2), valueDtype: 'F16', ...facts });
    expect(size).toMatchObject({ kept: 0, gapBytes: 0, valueBytes: 0 });
    expect(size.bytes).toBeGreaterThan(64);
  });
});
