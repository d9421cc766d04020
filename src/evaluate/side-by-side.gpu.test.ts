/** What threads side by side compute is what one does, to the last bit, however many they are. */
import { afterEach, expect, it } from 'vitest';
import { openZooEvaluator, readZooTask, readZooWeights } from '@/evaluate/golden/zoo';
import {
  openTextEvaluator,
  readAdapted,
  readTextBase,
  readTextRows,
  readTextZoo,
} from '@/evaluate/golden/zoo-text';
import { startLanes } from '@/platform/browser/lane-threads';
import { type Provider } from './runtime/graph-session';
import { Lanes } from './runtime/lanes';

const alone: Provider = { kind: 'wasm', threads: 1 };
const open: Lanes[] = [];

function sideBySide(count: number): Provider {
  const lanes = new Lanes(count, startLanes);
  open.push(lanes);
  return { kind: 'wasm', lanes };
}

afterEach(() => {
  for (const lanes of open.splice(0)) lanes.dispose();
});

it('CLIP: heads and logits, also of a model that follows while another is scored', async () => {
  const data = await readZooTask('digits');
  const models = await Promise.all(
    ['models/clip-tiny', 'models/clip-tiny_digits'].map((name) => readZooWeights(name)),
  );
  const answers = async (provider: Provider) => {
    const evaluator = await openZooEvaluator(provider);
    const head = await evaluator.zeroShotHead(data.classNames, data.templates);
    const pixels = await evaluator.preprocess(data.images.slice(0, 150));
    const request = { head, pixels, labels: data.labels };
    const predicted = await Promise.all(
      models.map((tensors) => evaluator.predict({ ...request, weights: { tensors } })),
    );
    evaluator.dispose();
    return { head, logits: predicted.map(({ logits }) => logits) };
  };
  const expected = await answers(alone);
  expect(expected.logits[0]).not.toEqual(expected.logits[1]);
  for (const count of [2, 3]) expect(await answers(sideBySide(count))).toEqual(expected);
});

it('T5: answers and logits of many batches', async () => {
  const zoo = await readTextZoo();
  const task = zoo.tasks[0]!;
  const rows = (await readTextRows(task)).slice(0, 150);
  const models = [await readTextBase(zoo), await readAdapted(zoo, task)];
  const answers = async (provider: Provider) => {
    const evaluator = await openTextEvaluator(zoo, provider);
    const inputs = evaluator.tokenize(rows.map(({ prompt }) => prompt));
    const made = await Promise.all(
      models.map(async (tensors) => {
        const request = { weights: { tensors }, inputs };
        const logits = await evaluator.firstLogits(request);
        const texts = await evaluator.generate({ ...request, maxNewTokens: zoo.maxNewTokens });
        return { logits, texts };
      }),
    );
    evaluator.dispose();
    return made;
  };
  const expected = await answers(alone);
  expect(expected[0]!.texts).not.toEqual(expected[1]!.texts);
  for (const count of [2, 3]) expect(await answers(sideBySide(count))).toEqual(expected);
});

it('gives up at once when it is aborted, and works on after it', async () => {
  const evaluator = await openZooEvaluator(sideBySide(2));
  const data = await readZooTask('digits');
  const head = await evaluator.zeroShotHead(data.classNames, data.templates);
  const pixels = await evaluator.preprocess(data.images);
  const weights = { tensors: await readZooWeights('models/clip-tiny') };
  const request = { weights, head, pixels, labels: data.labels };
  const stop = new AbortController();
  const running = evaluator.predict({ ...request, signal: stop.signal });
  stop.abort();
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  expect((await evaluator.predict({ ...request, to: 40 })).n).toBe(40);
  evaluator.dispose();
});
