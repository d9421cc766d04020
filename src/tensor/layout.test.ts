import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLOAT_DTYPES, type FloatDtype } from './dtype';
import { flatLayout, planChunks } from './layout';

const tensors = fc.uniqueArray(
  fc.record({
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
    shape: fc.array(fc.nat({ max: 6 }), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

describe('flatLayout', () => {
  it('sorts names by their UTF-8 bytes, as Python sorts them encoded', () => {
    fc.assert(
      fc.property(tensors, (list) => {
        const names = flatLayout(list).tensors.map(({ name }) => name);
        const expected = list
          .map(({ name }) => name)
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(names).toEqual(expected);
      }),
    );
  });

  it('differs from UTF-16 order where that differs from UTF-8', () => {
    const [first, second] = ['\uFF5E', '\u{1F600}'];
    expect(first > second).toBe(true);
    const layout = flatLayout([second, first].map((name) => ({ name, shape: [1] })));
    expect(layout.tensors.map(({ name }) => name)).toEqual([first, second]);
  });

  it('lays tensors end to end, whatever order they came in', () => {
    fc.assert(
      fc.property(tensors, (list) => {
        const layout = flatLayout(list);
        expect(flatLayout([...list].reverse())).toEqual(layout);
        let next = 0;
        for (const { flatStart, elementCount, shape } of layout.tensors) {
          expect(flatStart).toBe(next);
          expect(elementCount).toBe(shape.reduce((a, b) => a * b, 1));
          next += elementCount;
        }
        expect(layout.elementCount).toBe(next);
      }),
    );
  });

  it('counts scalars as one element and empty tensors as none', () => {
    const layout = flatLayout([
      { name: 'b', shape: [] },
      { name: 'a', shape: [3, 0] },
    ]);
    expect(layout.tensors.map(({ elementCount }) => elementCount)).toEqual([0, 1]);
  });
});

describe('planChunks', () => {
  const dtypeLists = fc.array(fc.constantFrom(...FLOAT_DTYPES), { minLength: 40, maxLength: 40 });

  it('tiles the flat space with chunks of one dtype a checkpoint, within the limit', () => {
    fc.assert(
      fc.property(tensors, dtypeLists, fc.integer({ min: 8, max: 60 }), (list, dtypes, limit) => {
        const layout = flatLayout(list);
        const order = new Map(list.map(({ name }, i) => [name, i]));
        const dtypeOf = (checkpoint: number, name: string): FloatDtype =>
          dtypes[order.get(name)! + 12 * checkpoint]!;
        const chunks = planChunks(layout, 3, dtypeOf, limit);
        let next = 0;
        for (const [i, chunk] of chunks.entries()) {
          expect(chunk.index).toBe(i);
          expect(chunk.flatStart).toBe(next);
          expect(chunk.elementCount).toBeGreaterThan(0);
          next += chunk.elementCount;
          let padded = 0;
          for (const span of layout.tensors) {
            const overlaps =
              span.elementCount > 0 &&
              span.flatStart < next &&
              span.flatStart + span.elementCount > chunk.flatStart;
            if (!overlaps) continue;
            expect(chunk.dtypes).toEqual([0, 1, 2].map((c) => dtypeOf(c, span.name)));
            const from = Math.max(chunk.flatStart - span.flatStart, 0);
            const to = Math.min(next - span.flatStart, span.elementCount);
            expect(from % 8, 'where a tensor is cut').toBe(0);
            padded += Math.ceil((to - from) / 8) * 8;
          }
          expect(padded).toBeLessThanOrEqual(limit);
          // Only a change of dtype, or the end, may leave room in a chunk.
          if (padded + 8 <= limit && i + 1 < chunks.length) {
            expect(chunks[i + 1]!.dtypes).not.toEqual(chunk.dtypes);
          }
        }
        expect(next).toBe(layout.elementCount);
      }),
    );
  });

  it('cuts through large tensors and joins small ones', () => {
    const layout = flatLayout([
      { name: 'a', shape: [3] },
      { name: 'b', shape: [5] },
      { name: 'c', shape: [20] },
    ]);
    const chunks = planChunks(layout, 2, () => 'F16', 16);
    // "a" and "b" take a group of eight each.
    expect(chunks.map(({ elementCount }) => elementCount)).toEqual([8, 16, 4]);
  });

  it('plans nothing for an empty space', () => {
    expect(planChunks(flatLayout([{ name: 'a', shape: [0] }]), 2, () => 'F32', 64)).toEqual([]);
  });
});
