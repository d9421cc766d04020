/** The evaluator against transformers on the embedded zoo, with the wasm provider. */
import { beforeAll, describe, expect, it } from 'vitest';
import logitsDigitsUrl from '../../../scripts/zoo/golden/logits-digits.safetensors?url';
import { type ClipEvaluator, type PredictRequest } from './clip-evaluator';
import { expectOwnTower, LOGIT_TOLERANCE, testZooLogits } from '@/evaluate/golden/clip-zoo-suite';
import { fetchBytes, largestDifference } from '@/evaluate/golden/providers';
import { floats, parseGolden } from '@/evaluate/golden/read-golden';
import {
  isBesideVision,
  openZooEvaluator,
  readZooTask,
  readZooWeights,
} from '@/evaluate/golden/zoo';

testZooLogits('wasm');

describe('ClipEvaluator', () => {
  let evaluator: ClipEvaluator;
  let request: PredictRequest;

  beforeAll(async () => {
    evaluator = await openZooEvaluator({ kind: 'wasm' });
    const data = await readZooTask('digits');
    request = {
      weights: { tensors: await readZooWeights('models/clip-tiny') },
      head: await evaluator.zeroShotHead(data.classNames, data.templates),
      pixels: await evaluator.preprocess(data.images),
      labels: data.labels,
    };
    evaluator.releaseText();
    return () => {
      evaluator.dispose();
    };
  });

  it('scores the base as transformers does', async () => {
    const golden = parseGolden(await fetchBytes(logitsDigitsUrl));
    const { logits } = await evaluator.predict(request);
    const expected = floats(golden, 'pretrained').data;
    expect(largestDifference(logits, expected)).toBeLessThan(LOGIT_TOLERANCE);
  });

  it('scores a range as it scores the whole', async () => {
    const whole = await evaluator.predict(request);
    const { length } = request.labels;
    const head = await evaluator.predict({ ...request, to: 100 });
    const tail = await evaluator.predict({ ...request, from: 100 });
    expect([head.n, tail.n, head.correct + tail.correct]).toEqual([
      100,
      length - 100,
      whole.correct,
    ]);
    expect([...head.predictions, ...tail.predictions]).toEqual([...whole.predictions]);
    const nothing = await evaluator.predict({ ...request, from: 7, to: 7 });
    expect([nothing.n, nothing.correct]).toEqual([0, 0]);
  });

  it('makes a head again after the text tower was released', async () => {
    const head = await evaluator.zeroShotHead(['0', '1'], ['a photo of the number "{c}"']);
    expect(head).toHaveLength((2 * request.head.length) / 10);
  });

  it('hears an abort between batches, and works on after it', async () => {
    const controller = new AbortController();
    const running = evaluator.predict({ ...request, signal: controller.signal });
    setTimeout(() => {
      controller.abort();
    }, 0);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect((await evaluator.predict({ ...request, to: 1 })).n).toBe(1);
  });

  it('names a weight that is missing or of another shape', async () => {
    const name = 'vision_model.encoder.layers.1.mlp.fc1.weight';
    const tensors = new Map(request.weights.tensors);
    tensors.set(name, { shape: [2, 2], data: new Float32Array(4) });
    await expect(evaluator.predict({ ...request, weights: { tensors } })).rejects.toMatchObject({
      kind: 'mismatch',
      message: expect.stringContaining(`${name} has shape [2, 2]`) as string,
    });
    tensors.delete(name);
    await expect(evaluator.predict({ ...request, weights: { tensors } })).rejects.toMatchObject({
      kind: 'mismatch',
      message: expect.stringContaining(`${name} is missing`) as string,
    });
  });

  it('refuses work once it is disposed', async () => {
    const other = await openZooEvaluator({ kind: 'wasm' });
    await other.warmUp();
    other.dispose();
    await expect(other.predict(request)).rejects.toMatchObject({ kind: 'internal' });
  });
});

describe('models that change more than the vision tower', () => {
  it.each([
    ['all of it', isBesideVision],
    ['the projections', (name: string) => name.endsWith('_projection.weight')],
    ['a layer of text', (name: string) => name.startsWith('text_model.encoder.layers.1.')],
    ['the scale', (name: string) => name === 'logit_scale'],
  ] as const)('are scored with what is theirs: %s', async (_what, isChanged) => {
    await expectOwnTower('wasm', isChanged);
  });
});

describe('a text tower that models change', () => {
  it('speaks for no model that does not bring it, and hears an abort', async () => {
    const base = await readZooWeights('models/clip-tiny');
    const changed = new Set([...base.keys()].filter(isBesideVision));
    const evaluator = await openZooEvaluator({ kind: 'wasm' }, { changed });
    await expect(evaluator.zeroShotHead(['0'], ['{c}'])).rejects.toMatchObject({
      kind: 'mismatch',
      message: expect.stringMatching(/^Tensor text_\S+ is missing/) as string,
    });
    const signal = AbortSignal.abort();
    const weights = { tensors: base };
    const head = evaluator.zeroShotHead(['0'], ['{c}'], { weights, signal });
    await expect(head).rejects.toMatchObject({ name: 'AbortError' });
    evaluator.dispose();
  });
});
