/**
 * A worker that holds Peru's evaluator against transformers.js, in turn. It posts lines, then how
 * it ended.
 */
import { errorFacts } from '../../src/core/errors';
import { comparePairs, type Clock } from '../pairs';
import { type Contender, type EvaluationCase } from './evaluation-case';
import { openPeru } from './peru';
import { openTransformersJs } from './transformers-js';

export interface EvaluationRequest {
  readonly quick: boolean;
  readonly provider: EvaluationCase['provider'];
  /** Of each side: Peru's are runtimes side by side, transformers.js's those of one. */
  readonly threads: number;
}

export type EvaluationNews = { readonly line: string } | { readonly ended: string };

const MODELS_URL = '/peer-models/';
const BATCH = 64;
const SMALL = { name: 'clip-tiny', imageSize: 32, imageCount: 512, pairs: 9 };
const LARGE = { name: 'vit-b-32', imageSize: 224, imageCount: 32, pairs: 5 };
/** Between rows of unit length: beyond it the two do not compute the same. */
const TOLERANCE = 1e-4;

const wallClock: Clock = {
  kind: 'wall',
  measure: async (work) => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  },
};

onmessage = ({ data }: MessageEvent<EvaluationRequest>) => {
  void runAll(data).then(
    () => {
      tell({ ended: 'Done' });
    },
    (error: unknown) => {
      tell({ ended: `Failed: ${errorFacts(error).message}` });
    },
  );
};

async function runAll({ quick, provider, threads }: EvaluationRequest): Promise<void> {
  tell({
    line: `provider ${provider}, threads: ${threads}, transformers.js in batches of ${BATCH}, fp32`,
  });
  for (const { pairs, ...size } of quick ? [SMALL] : [SMALL, LARGE]) {
    const pixels = Float32Array.from(
      { length: size.imageCount * 3 * size.imageSize ** 2 },
      () => 2 * Math.random() - 1,
    );
    tell({ line: await compare({ ...size, provider, threads, batch: BATCH, pixels }, pairs) });
  }
}

async function compare(evaluation: EvaluationCase, pairs: number): Promise<string> {
  const { name, imageCount, imageSize } = evaluation;
  const peru = await openPeru(evaluation, MODELS_URL);
  const peer = await openTransformersJs(evaluation, MODELS_URL);
  const difference = largestDifference(await peru.embed(), await peer.embed(), imageCount);
  if (!(difference < TOLERANCE)) {
    throw new Error(`${name}: embeddings differ by ${difference}, so times would say nothing.`);
  }
  const timed = (contender: Contender) => ({
    work: async () => {
      await contender.embed();
    },
  });
  const taken = await comparePairs(wallClock, pairs, timed(peru), timed(peer));
  await peru.dispose();
  await peer.dispose();
  const speed = (seconds: number): string => (imageCount / seconds).toFixed(1);
  return (
    `${name}, ${imageCount} images of ${imageSize} x ${imageSize}, median of ${pairs} pairs: ` +
    `Peru ${speed(taken.seconds)} images/s, ${peer.name} ${speed(taken.yardstickSeconds)}, ` +
    `Peru's throughput ${(1 / taken.ratio).toFixed(2)} times its; ` +
    `embeddings within ${difference.toExponential(0)}`
  );
}

function largestDifference(a: Float32Array, b: Float32Array, rowCount: number): number {
  const [unitA, unitB] = [unitRows(a, rowCount), unitRows(b, rowCount)];
  return unitA.reduce((most, value, i) => Math.max(most, Math.abs(value - unitB[i]!)), 0);
}

function unitRows(values: Float32Array, rowCount: number): Float32Array {
  const width = values.length / rowCount;
  const norms = Array.from({ length: rowCount }, (_, row) =>
    Math.hypot(...values.subarray(row * width, (row + 1) * width)),
  );
  return values.map((value, i) => value / norms[Math.floor(i / width)]!);
}

function tell(news: EvaluationNews): void {
  postMessage(news);
}
