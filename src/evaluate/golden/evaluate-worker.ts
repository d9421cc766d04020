/** Scores a few of the zoo's images inside a dedicated worker and posts the logits. */
import { type Provider, threadCount } from '../runtime/session';
import { openProvider } from './providers';
import { openZooEvaluator, readZooTask, readZooWeights } from './zoo';

export interface WorkerAnswer {
  readonly threads: number;
  readonly logits: Float32Array;
}

// As on a machine with four cores, so that threads are used wherever the test runs.
Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 });

onmessage = (event: MessageEvent<{ kind: Provider['kind']; count: number }>) => {
  void score(event.data.kind, event.data.count).then((answer) => {
    postMessage(answer);
  });
};

async function score(kind: Provider['kind'], count: number): Promise<WorkerAnswer> {
  const evaluator = await openZooEvaluator(await openProvider(kind));
  const data = await readZooTask('digits');
  const head = await evaluator.zeroShotHead(data.classNames, data.templates);
  const pixels = await evaluator.preprocess(data.images.slice(0, count));
  const weights = { tensors: await readZooWeights('models/clip-tiny_digits') };
  const { logits } = await evaluator.predict({ weights, head, pixels, labels: data.labels });
  evaluator.dispose();
  return { threads: threadCount(), logits };
}
