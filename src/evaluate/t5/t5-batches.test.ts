import { describe, expect, it } from 'vitest';
import { FLAN_T5_BASE } from '@/evaluate/golden/flan-t5-base';
import { batchByLength, decoderFeeds, encoderFeeds } from './t5-batches';
import { readT5Config } from './t5-config';

const config = { ...readT5Config(FLAN_T5_BASE), padId: 99 };
const prompt = (length: number, value = length) => new Int32Array(length).fill(value);

describe('batchByLength', () => {
  it('puts prompts of like length together, and every prompt in one batch', () => {
    const inputs = Array.from({ length: 150 }, (_, i) => prompt(1 + ((i * 37) % 50)));
    const batches = batchByLength(inputs, config);
    expect(batches.map(({ rows }) => rows.length)).toEqual([64, 64, 22]);
    expect(batches.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).toEqual([
      ...inputs.keys(),
    ]);
    const lengths = batches.flatMap((batch) => [...batch.lengths]);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    const padding = batches.reduce(
      (sum, batch) => sum + batch.lengths.reduce((rest, n) => rest + batch.tokenCount - n, 0),
      0,
    );
    expect(padding).toBeLessThan(0.5 * lengths.reduce((a, b) => a + b));
  });

  it('pads at the end, with the padding token', () => {
    const [batch] = batchByLength([prompt(3), prompt(1)], config);
    expect(batch).toEqual({
      rows: [1, 0],
      lengths: [1, 3],
      tokenCount: 3,
      ids: Int32Array.of(1, 99, 99, 3, 3, 3),
    });
  });

  it('takes fewer long prompts together, down to one, to stay within memory', () => {
    const sizes = (length: number, count: number) =>
      batchByLength(
        Array.from({ length: count }, () => prompt(length)),
        config,
      ).map(({ rows }) => rows.length);
    expect(sizes(40, 64)).toEqual([64]);
    // Keys and values of 12 decoder layers: 37.7 MB for 512 tokens; scores: 25.2 MB.
    expect(sizes(512, 8)).toEqual([4, 4]);
    expect(sizes(5000, 2)).toEqual([1, 1]);
  });

  it('makes no batch of nothing', () => {
    expect(batchByLength([], config)).toEqual([]);
  });
});

describe('feeds', () => {
  it('have the shapes that the graphs declare', () => {
    const [batch] = batchByLength([prompt(3), prompt(1)], config);
    const shapes = (feeds: ReturnType<typeof encoderFeeds>) =>
      Object.fromEntries([...feeds].map(([name, { shape }]) => [name, shape]));
    expect(shapes(encoderFeeds(batch!, config))).toEqual({
      input_ids: [2, 3],
      buckets: [3, 3],
      padding_mask: [2, 1, 1, 3],
    });
    const feeds = decoderFeeds(batch!, Int32Array.of(0, 5, 0, 6), config);
    expect(shapes(feeds)).toEqual({
      answer_ids: [2, 2],
      buckets: [2, 2],
      later_mask: [1, 1, 2, 2],
      padding_mask: [2, 1, 2, 3],
    });
    for (const { shape, data } of feeds.values()) {
      expect((data as Float32Array).length).toBe(shape.reduce((a, b) => a * b, 1));
    }
  });
});
