import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SparseBytes } from './sparse-bytes';

const BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);

function file() {
  const asked: [number, number][] = [];
  const slice = (start: number, end = BYTES.length): Promise<ArrayBuffer> => {
    asked.push([start, end]);
    return Promise.resolve(BYTES.slice(start, end).buffer);
  };
  return { asked, sparse: new SparseBytes({ byteLength: BYTES.length, slice }) };
}

describe('SparseBytes', () => {
  it('gives any ranges and reads no byte twice', async () => {
    const range = fc
      .tuple(fc.nat(256), fc.nat(256))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
    await fc.assert(
      fc.asyncProperty(fc.array(range, { maxLength: 12 }), async (ranges) => {
        const { asked, sparse } = file();
        for (const [start, end] of ranges) {
          expect(await sparse.read(start!, end!)).toEqual(BYTES.slice(start, end));
        }
        const times = new Uint8Array(256);
        for (const [start, end] of asked) for (let i = start; i < end; i++) times[i]! += 1;
        expect(Math.max(...times)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('shares a read under way', async () => {
    const { asked, sparse } = file();
    await Promise.all([sparse.slice(10, 50), sparse.slice(20, 40), sparse.slice(5, 50)]);
    expect(asked).toEqual([
      [10, 50],
      [5, 10],
    ]);
  });

  it('reads again what failed', async () => {
    let fails = true;
    const slice = (start: number, end = 256): Promise<ArrayBuffer> => {
      if (fails) return Promise.reject(new Error('gone'));
      return Promise.resolve(BYTES.slice(start, end).buffer);
    };
    const sparse = new SparseBytes({ byteLength: 256, slice });
    await expect(sparse.read(0, 9)).rejects.toThrow('gone');
    fails = false;
    expect(await sparse.read(0, 9)).toEqual(BYTES.slice(0, 9));
  });
});
