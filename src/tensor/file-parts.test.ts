import { describe, expect, it } from 'vitest';
import { type ByteSource } from './byte-source';
import { type FilePart, readParts } from './file-parts';
import { RemoteBytes } from './remote-bytes';

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 13 + (i >> 8)) & 255);

/** A remote file that notes what was read of it. */
class NotedBlob extends RemoteBytes {
  readonly reads: [number, number][] = [];
  failAt = Infinity;
  /** Signals that reads were given, aborted or not. */
  readonly signals: AbortSignal[] = [];

  override get size(): number {
    return CONTENT.length;
  }

  override async read(
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.reads.push([start, end]);
    if (signal !== undefined) this.signals.push(signal);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (start >= this.failAt) throw new Error('Lost.');
    await new Promise((resolve) => setTimeout(resolve, 5));
    return CONTENT.slice(start, end);
  }
}

/** Parts in the order of the result, and the result. */
function laidOut(source: ByteSource, ranges: readonly (readonly [number, number])[]) {
  let at = 0;
  const parts = ranges.map(([start, end]): FilePart => {
    const part = { source, fileName: 'file', start, end, at };
    at += end - start;
    return part;
  });
  const expected = Uint8Array.from(
    ranges.flatMap(([start, end]) => [...CONTENT.subarray(start, end)]),
  );
  return { parts, expected };
}

describe('readParts', () => {
  const TOUCHING = [
    [500, 900],
    [100, 300],
    [300, 500],
  ] as const;

  it.each([
    ['neighbours in any order', TOUCHING, [[100, 900]]],
    [
      'parts with a small gap',
      [
        [1000, 6000],
        [6010, 9000],
      ],
      [[1000, 9000]],
    ],
    [
      'parts with a large gap',
      [
        [1000, 2000],
        [2030, 3000],
      ],
      [
        [1000, 2000],
        [2030, 3000],
      ],
    ],
    [
      'small parts between large gaps',
      [
        [0, 10],
        [20, 30],
        [40, 50],
      ],
      [
        [0, 10],
        [20, 30],
        [40, 50],
      ],
    ],
    ['nothing', [], []],
    [
      'an empty part',
      [
        [5, 5],
        [5, 9],
      ],
      [[5, 9]],
    ],
  ] as const)('reads %s', async (_what, ranges, reads) => {
    const blob = new NotedBlob();
    const { parts, expected } = laidOut(blob, ranges);
    expect(await readParts(parts)).toEqual(expected);
    expect(blob.reads).toEqual(reads);
    // A file on disk gives the same.
    const local = laidOut(new Blob([CONTENT]), ranges);
    expect(await readParts(local.parts)).toEqual(expected);
  });

  it('never reads more than a hundredth beside what is needed', async () => {
    let seed = 3;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 20; round++) {
      const ranges: [number, number][] = [];
      for (let at = 0; at < 90_000; at += random(4) === 0 ? random(300) : 0) {
        const end = at + 1 + random(5000);
        ranges.push([at, end]);
        at = end;
      }
      ranges.sort(() => random(3) - 1);
      const blob = new NotedBlob();
      const { parts, expected } = laidOut(blob, ranges);
      // toEqual looks at one element after another: too slow for so many.
      expect(Buffer.compare(await readParts(parts), expected)).toBe(0);
      const moved = blob.reads.reduce((sum, [start, end]) => sum + end - start, 0);
      expect(moved).toBeLessThanOrEqual(1.0102 * expected.length);
      expect(blob.reads.length).toBeLessThanOrEqual(ranges.length);
    }
  });

  it('keeps files apart, and stops the other reads when one fails', async () => {
    const [one, two] = [new NotedBlob(), new NotedBlob()];
    two.failAt = 0;
    const parts = [
      { source: one, fileName: 'one', start: 0, end: 10, at: 0 },
      { source: two, fileName: 'two', start: 10, end: 20, at: 10 },
    ];
    await expect(readParts(parts)).rejects.toThrow('Lost.');
    expect(one.signals.map(({ aborted }) => aborted)).toEqual([true]);
    two.failAt = Infinity;
    expect(await readParts(parts)).toEqual(CONTENT.slice(0, 20));
  });
});

const bytesOf = async (blob: ByteSource) => new Uint8Array(await blob.arrayBuffer());

describe('RemoteBytes', () => {
  it('slices as a Blob does', async () => {
    const [remote, local] = [new NotedBlob(), new Blob([CONTENT])];
    for (const [start, end] of [
      [0, 10],
      [50, undefined],
      [-30, -10],
      [99_990, 200_000],
      [60, 40],
      [undefined, 5],
    ] as const) {
      const [a, b] = [remote.slice(start, end), local.slice(start, end)];
      expect(a.size).toBe(b.size);
      expect(Buffer.compare(await bytesOf(a), await bytesOf(b))).toBe(0);
      expect(await a.slice(1, -1).text()).toBe(await b.slice(1, -1).text());
    }
  });
});
