/**
 * An adapter on a CLIP tower, saved by peft without the base's `vision_model.` prefix, against the
 * logits that transformers gives with it (scripts/golden_clip_adapter.py).
 */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClipEvaluator } from '@/evaluate/clip/clip-evaluator';
import { fetchBytes, largestDifference } from '@/evaluate/golden/providers';
import { floats, type GoldenFile, parseGolden } from '@/evaluate/golden/read-golden';
import { openZooEvaluator, readZooTask, type ZooTaskData } from '@/evaluate/golden/zoo';
import { loadGroup } from '@/jobs/load-group.fixture';
import { type Recipe } from '@/recipe/recipe';
import { type ScoredModel } from '@/jobs/scoring/scored-group';
import { type AdapterGroup, type AdapterJob } from './adapter-group';
import { lowRankModel, plainModels } from './scored-models';
import { floatWeights } from '@/jobs/group/float-weights';
import configUrl from '@/jobs/adapters/golden/adapter_config.json?url';
import weightsUrl from '@/jobs/adapters/golden/adapter_model.safetensors?url';
import logitsUrl from '@/jobs/adapters/golden/logits.safetensors?url';
import { mergeAdapters } from './merged-adapter';

const BASE = '/zoo/models/clip-tiny';
const RANK = 4;
/** Logits are exp(logit_scale) x cosine, up to 100. */
const LOGIT_TOLERANCE = 1e-3;
const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 1,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: RANK },
  lora: DEFAULT_LORA,
};

async function fileAt(path: string, url: string) {
  return { path, file: new File([await fetchBytes(url)], path.slice(path.lastIndexOf('/') + 1)) };
}

let group: AdapterGroup;
let job: AdapterJob;
let evaluator: ClipEvaluator;
let data: ZooTaskData;
let golden: GoldenFile;

async function logitsOf({ layOut }: ScoredModel): Promise<Float32Array> {
  const count = floats(golden, 'adapted').shape[0]!;
  const weights = await layOut(0, 'cpu');
  const head = await evaluator.zeroShotHead(data.classNames, data.templates);
  const pixels = await evaluator.preprocess(data.images.slice(0, count));
  const labels = data.labels.slice(0, count);
  const { logits } = await evaluator.predict({ weights, head, pixels, labels });
  weights.dispose();
  return logits;
}

beforeAll(async () => {
  const files = await Promise.all([
    fileAt('base/model.safetensors', `${BASE}/model.safetensors`),
    fileAt('base/config.json', `${BASE}/config.json`),
    fileAt('digits/adapter_config.json', configUrl),
    fileAt('digits/adapter_model.safetensors', weightsUrl),
  ]);
  const { signal } = new AbortController();
  const options = { emit: () => undefined, signal, allowNonFinite: false };
  const opened = await loadGroup({ ...options, request: { kind: 'files', files } });
  if (opened.kind !== 'adapters') throw new Error('The adapter opened as a fine-tune.');
  expect(opened.engine.kind).toBe('webgpu');
  const baseWeights = await floatWeights(opened.engine, opened.base, 'cpu', options);
  group = { ...opened, baseWeights };
  job = { group, recipe: RECIPE, ...options };
  await group.products.lowRank.factorize();
  await mergeAdapters(job);
  evaluator = await openZooEvaluator({ kind: 'wasm' });
  data = await readZooTask('digits');
  golden = parseGolden(await fetchBytes(logitsUrl));
}, 60_000);

afterAll(() => {
  evaluator.dispose();
  group.dispose();
});

describe('an adapter on a CLIP tower', () => {
  const models = () => {
    const [pretrained, finetuned, merged] = plainModels(job);
    return { pretrained: pretrained!, finetuned: finetuned!, merged: merged! };
  };

  it('leaves the base as it is', async () => {
    const logits = await logitsOf(models().pretrained);
    expect(largestDifference(logits, floats(golden, 'base').data)).toBeLessThan(LOGIT_TOLERANCE);
  });

  it('answers as in transformers and peft', async () => {
    const logits = await logitsOf(models().finetuned);
    expect(largestDifference(logits, floats(golden, 'adapted').data)).toBeLessThan(LOGIT_TOLERANCE);
  });

  it('is the same at its full rank, and merged alone with λ = 1', async () => {
    const expected = floats(golden, 'adapted').data;
    for (const model of [lowRankModel(job, { by: 'count', q: RANK }), models().merged]) {
      expect(largestDifference(await logitsOf(model), expected)).toBeLessThan(LOGIT_TOLERANCE);
    }
  });

  it('is another model at a lower rank', async () => {
    const logits = await logitsOf(lowRankModel(job, { by: 'count', q: 1 }));
    expect(largestDifference(logits, floats(golden, 'adapted').data)).toBeGreaterThan(0.1);
  });
});
