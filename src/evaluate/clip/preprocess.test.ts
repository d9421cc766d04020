import { describe, expect, it } from 'vitest';
import { targetSize, toPixels } from './preprocess';
import { type RgbImage } from './resize';

const PLAIN = { resize: null, crop: null, rescale: null, normalize: null };

function image(width: number, height: number, data: number[]): RgbImage {
  return { width, height, data: Uint8Array.from(data) };
}

describe('targetSize', () => {
  it('brings the short edge to size and cuts the long one to whole pixels', () => {
    expect(targetSize({ width: 51, height: 36 }, { shortestEdge: 20 })).toEqual({
      width: 28,
      height: 20,
    });
    expect(targetSize({ width: 36, height: 51 }, { shortestEdge: 20 })).toEqual({
      width: 20,
      height: 28,
    });
  });

  it('takes a fixed size as it is', () => {
    const size = { width: 3, height: 9 };
    expect(targetSize({ width: 51, height: 36 }, size)).toEqual(size);
  });
});

describe('toPixels', () => {
  it('lays channels out one after the other', () => {
    const batch = toPixels([image(2, 1, [1, 2, 3, 4, 5, 6])], PLAIN);
    expect(batch).toEqual({
      count: 1,
      width: 2,
      height: 1,
      data: Float32Array.of(1, 4, 2, 5, 3, 6),
    });
  });

  it('refuses images of different sizes when nothing crops them', () => {
    const images = [image(1, 1, [0, 0, 0]), image(2, 1, [0, 0, 0, 0, 0, 0])];
    expect(() => toPixels(images, PLAIN)).toThrow(/1 x 1 and 2 x 1/);
  });

  it('crops the centre, rounding the offset down', () => {
    const row = image(4, 1, [10, 0, 0, 20, 0, 0, 30, 0, 0, 40, 0, 0]);
    const crop = { width: 1, height: 1 };
    expect(toPixels([row], { ...PLAIN, crop }).data[0]).toBe(20);
  });

  it('makes an empty batch of no images', () => {
    expect(toPixels([], PLAIN).count).toBe(0);
  });
});
