/**
 * The evaluator against transformers on the embedded zoo: every test image of two tasks with the
 * wasm provider, a part of them with webgpu, which a software adapter computes 100 times slower
 * (scripts/zoo writes the goldens).
 */
import { beforeAll, describe, expect, it } from 'vitest';
import logitsDigitsUrl from '../../scripts/zoo/golden/logits-digits.safetensors?url';
import logitsStreetDigitsUrl from '../../scripts/zoo/golden/logits-street-digits.safetensors?url';
import textHeadsUrl from '../../scripts/zoo/golden/text-heads.safetensors?url';
import { type BaseTensor, loadBaseWeights } from './base-weights';
import { type ClipEvaluator, type PredictRequest } from './clip-evaluator';
import { floats, type GoldenFile, parseGolden } from './golden/read-golden';
import { fetchBytes, largestDifference, openProvider, PROVIDER_KINDS } from './golden/providers';
import {
  isBesideVision,
  openZooEvaluator,
  readZooTask,
  readZooWeights,
  type ZooTaskData,
} from './golden/zoo';
import { argmaxRows } from './metrics';
import { type Provider } from './session';

/** Logits are exp(logit_scale) x cosine, up to 100: the bound is on the scaled value. */
const LOGIT_TOLERANCE = 1e-3;

/** Of the images, every so many are scored: of all classes. */
const STRIDE: Readonly<Record<Provider['kind'], number>> = { wasm: 1, webgpu: 5 };

const TASKS = [
  { task: 'digits', url: logitsDigitsUrl },
  { task: 'street-digits', url: logitsStreetDigitsUrl },
] as const;

async function residentWeights(model: string, kind: Provider['kind']) {
  const tensors = await readZooWeights(model);
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const read = (name: string): Promise<BaseTensor> => Promise.resolve(tensors.get(name)!);
  const resident = await loadBaseWeights(shapes, read, await openProvider(kind));
  // Weights never come as feeds of token ids.
  const feeds = resident.feeds as ReadonlyMap<string, BaseTensor>;
  return { tensors: feeds, dispose: resident.dispose };
}

/** Of rows of `width` values, every so many. */
function everyNth<T>(values: readonly T[], stride: number, width = 1): T[] {
  return values.filter((_, i) => Math.floor(i / width) % stride === 0);
}

describe.each(PROVIDER_KINDS)('ClipEvaluator on %s', (kind) => {
  let evaluator: ClipEvaluator;
  let heads: GoldenFile;

  beforeAll(async () => {
    evaluator = await openZooEvaluator(await openProvider(kind));
    heads = parseGolden(await fetchBytes(textHeadsUrl));
    return () => {
      evaluator.dispose();
    };
  });

  async function finetunedLogits(task: string, data: ZooTaskData) {
    const head = await evaluator.zeroShotHead(data.classNames, data.templates);
    expect(largestDifference(head, floats(heads, task).data)).toBeLessThan(1e-5);
    const pixels = await evaluator.preprocess(data.images);
    const weights = await residentWeights(`models/clip-tiny_${task}`, kind);
    const result = await evaluator.predict({ weights, head, pixels, labels: data.labels });
    weights.dispose();
    return result;
  }

  it.each(TASKS)('$task: logits of the fine-tuned model as in transformers', async (item) => {
    const whole = await readZooTask(item.task);
    const data = {
      ...whole,
      images: everyNth(whole.images, STRIDE[kind]),
      labels: Int32Array.from(everyNth([...whole.labels], STRIDE[kind])),
    };
    const golden = parseGolden(await fetchBytes(item.url));
    const { logits, predictions, correct, n } = await finetunedLogits(item.task, data);
    const all = [...floats(golden, 'finetuned').data];
    const expected = Float32Array.from(everyNth(all, STRIDE[kind], data.classNames.length));
    expect(n).toBe(data.images.length);
    expect(largestDifference(logits, expected)).toBeLessThan(LOGIT_TOLERANCE);
    const expectedClasses = argmaxRows(expected, data.classNames.length);
    expect([...predictions]).toEqual([...expectedClasses]);
    const expectedCorrect = expectedClasses.filter((c, i) => c === data.labels[i]).length;
    expect(correct).toBe(expectedCorrect);
  });
});

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
    ['wasm', 'all of it', isBesideVision],
    ['webgpu', 'all of it', isBesideVision],
    ['wasm', 'the projections', (name: string) => name.endsWith('_projection.weight')],
    ['wasm', 'a layer of text', (name: string) => name.startsWith('text_model.encoder.layers.1.')],
    ['wasm', 'the scale', (name: string) => name === 'logit_scale'],
  ] as const)('are scored with what is theirs, on %s: %s', async (kind, _what, isChanged) => {
    const base = await readZooWeights('models/clip-tiny');
    const changed = new Set([...base.keys()].filter(isChanged));
    expect(changed.size).toBeGreaterThan(0);
    const evaluator = await openZooEvaluator(await openProvider(kind), { changed });
    const whole = await readZooTask('digits');
    const { classNames, templates } = whole;
    const model = await residentWeights('models/clip-tiny', kind);
    const tuned = await residentWeights('models/clip-tiny_digits', kind);
    // As a full CLIP would be saved after tuning its vision tower.
    const weights = { tensors: new Map([...model.tensors, ...tuned.tensors]) };
    for (const name of evaluator.modelWeights) expect(weights.tensors.has(name)).toBe(true);
    const isOfText = (name: string) => name.startsWith('text_');
    expect(evaluator.headsDiffer).toBe([...changed].some(isOfText));
    const head = await evaluator.zeroShotHead(classNames, templates, { weights });
    const heads = parseGolden(await fetchBytes(textHeadsUrl));
    expect(largestDifference(head, floats(heads, 'digits').data)).toBeLessThan(1e-5);
    const pixels = await evaluator.preprocess(whole.images.slice(0, 2));
    const { logits } = await evaluator.predict({ weights, head, pixels, labels: whole.labels });
    const golden = floats(parseGolden(await fetchBytes(logitsDigitsUrl)), 'finetuned').data;
    const expected = golden.slice(0, logits.length);
    expect(largestDifference(logits, expected)).toBeLessThan(LOGIT_TOLERANCE);
    evaluator.dispose();
    model.dispose();
    tuned.dispose();
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
