/** CLIP on the embedded zoo against transformers, for either provider (scripts/zoo writes the goldens). */
import { beforeAll, describe, expect, it } from 'vitest';
import logitsDigitsUrl from '../../../scripts/zoo/golden/logits-digits.safetensors?url';
import logitsStreetDigitsUrl from '../../../scripts/zoo/golden/logits-street-digits.safetensors?url';
import textHeadsUrl from '../../../scripts/zoo/golden/text-heads.safetensors?url';
import { type BaseTensor, loadBaseWeights } from '../runtime/base-weights';
import { type ClipEvaluator } from '../clip/clip-evaluator';
import { argmaxRows } from '../runtime/metrics';
import { type Provider } from '../runtime/session';
import { fetchBytes, largestDifference, openProvider } from './providers';
import { floats, type GoldenFile, parseGolden } from './read-golden';
import { openZooEvaluator, readZooTask, readZooWeights, type ZooTaskData } from './zoo';

/** Logits are exp(logit_scale) x cosine, up to 100: the bound is on the scaled value. */
export const LOGIT_TOLERANCE = 1e-3;

/** Of the images, every so many are scored, of all classes: a software adapter is 100 times slower. */
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

/** Fine-tuned models of two tasks, on their test images. */
export function testZooLogits(kind: Provider['kind']): void {
  describe(`ClipEvaluator on ${kind}`, () => {
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
}

/** Models that change more than the vision tower are scored with what is theirs. */
export async function expectOwnTower(
  kind: Provider['kind'],
  isChanged: (name: string) => boolean,
): Promise<void> {
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
}
