/**
 * The evaluators at the true shapes of the public models, against transformers, on random weights
 * made from their names (scripts/golden_real_shapes.py). On the CPU only: a software GPU would take
 * an hour, and the graphs are the same.
 */
import { describe, expect, it } from 'vitest';
import { largestDifference } from './golden/providers';
import { floats } from './golden/read-golden';
import { readRealShape, scoreRealShape } from './golden/real-shapes';

/**
 * 4e-5 was seen. The logits' standard deviation is 3 to 4.3 and their largest 9 to 17 (`spread`), and
 * another gelu moves them by 5e-3 already.
 */
const LOGIT_TOLERANCE = 1e-3;
/** Of rows of unit length, which a logit takes times 100. */
const EMBEDDING_TOLERANCE = 1e-5;
/** Bytes onnxruntime may take above the weights of one graph, which it copies for a run. */
const HEADROOM = 160 * 2 ** 20;

describe.each([
  'clip-vit-base-patch32',
  'clip-vit-base-patch16',
  'clip-vit-large-patch14',
  'flan-t5-base',
  'flan-t5-large',
] as const)('%s', (name) => {
  it('gives the logits and choices that transformers gives', async () => {
    const { model, expected } = await readRealShape(name);
    // Logits that are spread and choices that are no draw, else equal ones would say little.
    expect(model.spread.std).toBeGreaterThan(3);
    expect(model.spread.leastLead).toBeGreaterThan(0.2);
    const scored = await scoreRealShape(model);
    const worst = largestDifference(scored.logits, floats(expected, 'logits').data);
    console.info(
      `${name}: ${scored.seconds.toFixed(1)} s, onnxruntime ${(scored.heapBytes / 2 ** 20).toFixed(0)} MiB, logits differ by ${worst.toExponential(1)}`,
    );
    expect(scored.parameters).toBe(model.parameters);
    expect(worst).toBeLessThan(LOGIT_TOLERANCE);
    expect(scored.choices).toEqual(expected.tensors.get('choices')?.data);
    if (scored.textEmbeds !== undefined) {
      const wanted = floats(expected, 'text_embeds').data;
      expect(largestDifference(scored.textEmbeds, wanted)).toBeLessThan(EMBEDDING_TOLERANCE);
    }
    expect(scored.heapBytes).toBeLessThan(scored.graphBytes + HEADROOM);
  });
});
