import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { laterHidden, paddingHidden, relativeBuckets } from './t5-positions';

interface Golden {
  readonly from: number;
  readonly cases: {
    readonly side: 'encoder' | 'decoder';
    readonly bucketCount: number;
    readonly maxDistance: number;
    /** [value, count] of each run of equal buckets. */
    readonly buckets: [number, number][];
  }[];
}

const golden = JSON.parse(
  await readFile(new URL('../golden/t5/buckets.json', import.meta.url), 'utf8'),
) as Golden;

describe('relativeBuckets', () => {
  it.each(golden.cases)(
    "gives transformers' buckets: $side, $bucketCount up to $maxDistance",
    (item) => {
      const expected = item.buckets.flatMap(([value, count]) =>
        new Array<number>(count).fill(value),
      );
      const length = 1 - golden.from;
      const made = relativeBuckets(length, item.side, item);
      // The last query sees all that is behind it, the first all that is before it.
      expect([...made.subarray(-length)]).toEqual(expected.slice(0, length));
      expect([...made.subarray(0, length)]).toEqual(expected.slice(length - 1));
    },
  );

  it('depends on the distance alone', () => {
    const config = { bucketCount: 8, maxDistance: 20 };
    const made = relativeBuckets(30, 'encoder', config);
    for (let query = 1; query < 30; query++) {
      for (let key = 1; key < 30; key++) {
        expect(made[query * 30 + key]).toBe(made[(query - 1) * 30 + key - 1]);
      }
    }
  });
});

describe('masks', () => {
  const seen = (mask: Float32Array) => [...mask].map((value) => (value === 0 ? 1 : 0));

  it('hide what comes later', () => {
    expect(seen(laterHidden(3))).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 1]);
  });

  it('hide padding from every query of its row', () => {
    expect(seen(paddingHidden([2, 3], 2, 3))).toEqual([1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1]);
  });

  it('hide with a finite number, which no score lifts', () => {
    const hidden = laterHidden(2)[1]!;
    expect(Number.isFinite(hidden)).toBe(true);
    expect(Math.fround(hidden + 1e6)).toBe(hidden);
  });
});
