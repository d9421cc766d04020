import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseGolden } from '@/evaluate/golden/read-golden';
import { resize, type ResampleFilter, type RgbImage } from './resize';

/** Pillow's codes. */
const FILTER_NAMES: Readonly<Record<number, ResampleFilter>> = {
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
  4: 'box',
  5: 'hamming',
};

const bytes = await readFile(new URL('../golden/resize.safetensors', import.meta.url));
const golden = parseGolden(new Uint8Array(bytes).buffer);
const cases = JSON.parse(golden.metadata['cases']!) as {
  source: string;
  target: string;
  resample: number;
}[];

function image(name: string): RgbImage {
  const { shape, data } = golden.tensors.get(name)!;
  return { height: shape[0]!, width: shape[1]!, data: data as Uint8Array };
}

describe('resize', () => {
  it.each(cases)('gives every byte of Pillow: $source, filter $resample', (item) => {
    const target = image(item.target);
    const filter = FILTER_NAMES[item.resample]!;
    const made = resize(image(item.source), target.width, target.height, filter);
    expect([made.width, made.height]).toEqual([target.width, target.height]);
    expect([...made.data]).toEqual([...target.data]);
  });

  it('covers every filter', () => {
    const seen = new Set(cases.map((item) => FILTER_NAMES[item.resample]));
    expect(seen.size).toBe(Object.keys(FILTER_NAMES).length);
  });

  it('returns the image itself at its own size', () => {
    const source = image(cases[0]!.source);
    expect(resize(source, source.width, source.height, 'bicubic')).toBe(source);
  });
});
