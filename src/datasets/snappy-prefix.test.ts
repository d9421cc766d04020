import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { unpackSnappyPrefix } from './snappy-prefix';

/** Elements of a block, from format_description.txt. */
const literal = (text: string): number[] => [(text.length - 1) << 2, ...Buffer.from(text)];
const copy1 = (length: number, back: number): number[] => [
  ((back >> 8) << 5) | ((length - 4) << 2) | 1,
  back & 255,
];
const copy2 = (length: number, back: number): number[] => [
  ((length - 1) << 2) | 2,
  back & 255,
  back >> 8,
];
const copy4 = (length: number, back: number): number[] => [
  ((length - 1) << 2) | 3,
  back & 255,
  back >> 8,
  0,
  0,
];
const longLiteral = (text: string): number[] => [
  61 << 2,
  (text.length - 1) & 255,
  (text.length - 1) >> 8,
  ...Buffer.from(text),
];

const WORDS = 'x'.repeat(300) + 'y';
const BLOCK = Uint8Array.from([
  ...[0xc8, 0x02],
  ...literal('abcd'),
  ...copy1(6, 2),
  ...copy2(3, 10),
  ...longLiteral(WORDS),
  ...copy4(9, 301),
  ...copy2(5, 314),
]);
const WHOLE = `abcdcdcdcdabc${WORDS}xxxxxxxxxdabcx`;

describe('unpackSnappyPrefix', () => {
  it('unpacks literals and copies, overlapping ones too', () => {
    expect(Buffer.from(unpackSnappyPrefix(BLOCK, WHOLE.length)).toString()).toBe(WHOLE);
  });

  it('gives a beginning of the whole, the longer the more has come', () => {
    let before = 0;
    for (let length = 0; length <= BLOCK.length; length++) {
      const some = Buffer.from(unpackSnappyPrefix(BLOCK.subarray(0, length), WHOLE.length));
      expect(WHOLE.startsWith(some.toString())).toBe(true);
      expect(some.length).toBeGreaterThanOrEqual(before);
      before = some.length;
    }
    expect(before).toBe(WHOLE.length);
  });

  it('refuses copies from before the block and blocks longer than they say', () => {
    const early = Uint8Array.from([9, ...literal('ab'), ...copy1(5, 3)]);
    expect(() => unpackSnappyPrefix(early, 9)).toThrow(/before the block/);
    const long = Uint8Array.from([20, ...BLOCK.subarray(2)]);
    expect(() => unpackSnappyPrefix(long, 20)).toThrow(/longer than it says/);
  });

  it('refuses a block that announces another length than its page', () => {
    expect(() => unpackSnappyPrefix(BLOCK, 20)).toThrow(/announces 328 bytes, and its page 20/);
    const endless = new Uint8Array(8).fill(0xff);
    expect(() => unpackSnappyPrefix(endless, 2 ** 26)).toThrow(/does not say how long/);
  });

  it('makes no more room than what has come can fill', () => {
    const most = 2 ** 26;
    const announced = [0x80, 0x80, 0x80, 0x20];
    const some = unpackSnappyPrefix(Uint8Array.from([...announced, ...literal('ab')]), most);
    expect(Buffer.from(some).toString()).toBe('ab');
    expect(some.buffer.byteLength).toBeLessThan(1000);
    // The format's densest element, over and over.
    const dense = Array.from({ length: 500 }, () => copy2(64, 2)).flat();
    const packed = Uint8Array.from([...announced, ...literal('ab'), ...dense]);
    expect(Buffer.from(unpackSnappyPrefix(packed, most)).toString()).toBe('ab'.repeat(16_001));
  });

  it('ends on any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(127), (bytes, length) => {
        try {
          const packed = Uint8Array.from([length, ...bytes]);
          expect(unpackSnappyPrefix(packed, length).length).toBeLessThanOrEqual(length);
        } catch (error) {
          expect(String(error)).toMatch(/Snappy/);
        }
      }),
    );
  });
});
