import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { describe, expect, it } from 'vitest';
import { methodsOf } from '@/recipe/parsed-method';
import { energyCurves, keptOf, meanEnergyCurve } from './kept';
import { resultsFile } from './file';
import { baselines, recovery } from './recovery';
import { accuracyTable } from './table';
import { tradeOffPoints } from './trade-off';
import { type ByMethod, type Score } from '@/store/state/results';
import { type Metric } from '@/store/state/sources';
import { spearmanInterval } from '@/core/statistics/spearman-interval';
import { wilsonInterval } from '@/core/statistics/wilson';

const TASKS = [
  { name: 'a', title: 'A', dataset: { metric: 'accuracy' } },
  { name: 'b', title: 'B', dataset: { metric: 'accuracy' } },
] as const;

const RECIPE = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.3,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: 8 },
  lora: DEFAULT_LORA,
} as const;

const FULL = methodsOf('full', RECIPE);

/** Scores from correct counts of 100; a task left out has none. */
function scoresOf(counts: Readonly<Record<string, Record<string, number>>>): ByMethod<Score> {
  return Object.fromEntries(
    Object.entries(counts).map(([method, tasks]) => [
      method,
      Object.fromEntries(
        Object.entries(tasks).map(([task, correct]) => [
          task,
          { method, task, metric: 'accuracy' as const, value: correct / 100, n: 100, total: 100 },
        ]),
      ),
    ]),
  );
}

const SCORES = scoresOf({
  pretrained: { a: 20, b: 30 },
  finetuned: { a: 90, b: 80 },
  merged: { a: 50, b: 60 },
  'post-pruning@10': { a: 70, b: 70 },
  'peru-fft@10': { a: 85, b: 75 },
  'peru-fft@5': { a: 80, b: 70 },
  'peru-fft@1': { a: 60 },
});

describe('accuracyTable', () => {
  it('has a row a task, then the average, a column a method', () => {
    const table = accuracyTable(TASKS, SCORES, FULL);
    expect(table.rows.map(({ label }) => label)).toEqual(['A', 'B']);
    expect(table.methods.at(-1)).toBe('peru-fft@10');
    expect(table.rows[0]?.cells.map((cell) => cell?.value)).toEqual([0.2, 0.9, 0.5, 0.7, 0.85]);
    [0.25, 0.85, 0.55, 0.7, 0.8].forEach((mean, column) => {
      expect(table.average.cells[column]?.value).toBeCloseTo(mean, 12);
    });
    expect(table.average.cells[0]).toMatchObject({ n: 200, total: 200, interval: null });
  });

  it('averages only what every task has', () => {
    const table = accuracyTable(TASKS, SCORES, methodsOf('full', { ...RECIPE, keptPercent: 1 }));
    expect(table.rows[0]?.cells[4]?.value).toBe(0.6);
    expect(table.rows[1]?.cells[4]).toBeNull();
    expect(table.average.cells[4]).toBeNull();
  });

  it('gives each metric its own interval, and the average none', () => {
    const one = (metric: Metric, n = 100) => ({
      finetuned: { a: { method: 'finetuned', task: 'a', metric, value: 0.8, n, total: 100 } },
    });
    const cell = (metric: Metric, n?: number) =>
      accuracyTable([{ ...TASKS[0], dataset: { metric } }], one(metric, n), FULL).rows[0]?.cells[1];
    expect(cell('accuracy')?.interval).toEqual(wilsonInterval(80, 100));
    expect(cell('spearman')?.interval).toEqual(spearmanInterval(0.8, 100));
    // 0.8 of 127 is no whole number of rows: the nearest is meant.
    expect(cell('accuracy', 127)?.interval).toEqual(wilsonInterval(102, 127));
  });

  it('stands empty for no tasks', () => {
    expect(accuracyTable([], SCORES, FULL).average.cells).toEqual([null, null, null, null, null]);
  });
});

describe('recovery', () => {
  it('is the share of the loss that PERU-FFT brings back', () => {
    const story = recovery(accuracyTable(TASKS, SCORES, FULL));
    expect(story?.recoveredShare).toBeCloseTo((0.8 - 0.55) / (0.85 - 0.55), 12);
    expect(story?.isFinal).toBe(true);
  });

  it('tells the same where no baseline is run', () => {
    const alone = methodsOf('full', { ...RECIPE, compressors: ['peru-fft'] });
    const [all, one] = [FULL, alone].map((methods) => accuracyTable(TASKS, SCORES, methods));
    expect(recovery(one!)).toEqual(recovery(all!));
    expect(baselines(one!)).toEqual([]);
    expect(baselines(all!).map(({ method }) => method)).toEqual(['post-pruning@10']);
  });

  it('says nothing before there is a loss, and no share where merging loses nothing', () => {
    expect(recovery(accuracyTable(TASKS, {}, FULL))).toBeNull();
    const better = { ...SCORES, merged: SCORES.finetuned!, finetuned: SCORES.merged! };
    expect(recovery(accuracyTable(TASKS, better, FULL))?.recoveredShare).toBeNull();
  });
});

describe('tradeOffPoints', () => {
  it('draws what has both bytes and a whole average, in the order of the tables', () => {
    const storage = Object.fromEntries(
      ['peru-fft@10', 'peru-fft@5', 'peru-fft@1', 'merged'].map((method, i) => [
        method,
        { method, files: [], bytes: 1000 + i },
      ]),
    );
    const points = tradeOffPoints(TASKS, SCORES, storage, 'full');
    expect(points.map(({ method }) => method)).toEqual(['merged', 'peru-fft@5', 'peru-fft@10']);
    expect(points[1]).toMatchObject({
      setting: { by: 'entries', percent: 5 },
      bytes: 1001,
      value: 0.75,
    });
  });
});

describe('tradeOffPoints of adapters', () => {
  it('count bytes beside the base, which every method needs', () => {
    const row = (method: string, bytes: number) => [method, { method, files: [], bytes }] as const;
    const scores = { ...SCORES, 'peru-lora@4': SCORES.finetuned! };
    const storage = Object.fromEntries([
      row('pretrained', 5000),
      row('finetuned', 5800),
      row('peru-lora@4', 5200),
    ]);
    const points = tradeOffPoints(TASKS, scores, storage, 'adapters');
    expect(points.map(({ bytes }) => bytes)).toEqual([0, 800, 200]);
    const { pretrained, ...early } = storage;
    expect(pretrained).toBeDefined();
    expect(tradeOffPoints(TASKS, scores, early, 'adapters')).toEqual([]);
  });
});

describe('resultsFile', () => {
  const base = {
    engine: {
      engine: 'webgpu',
      adapter: { vendor: 'v', architecture: 'a', description: 'd', fallback: true },
      evaluator: 'onnxruntime wasm',
    },
    kind: 'full',
    recipe: RECIPE,
    patterns: { include: [], exclude: [] },
    tasks: ['a', 'b'],
    storage: { merged: { method: 'merged', files: [{ name: 'm', bytes: 8 }], bytes: 8 } },
    seconds: { merge: 0.5 },
    memory: { mode: 'resident', plannedBytes: 100, peakBytes: 98 },
  } as const;

  it('has the shape other people read', () => {
    const file = resultsFile({ ...base, scores: SCORES });
    expect(Object.keys(file)).toEqual([
      'peru',
      'adapter',
      'engine',
      'recipe',
      'tasks',
      'average',
      'storage',
      'seconds',
      'memory',
    ]);
    expect(file.memory).toEqual({ mode: 'resident', plannedBytes: 100, peakBytes: 98 });
    expect(file.peru).toBe(1);
    expect(file.tasks[1]).toEqual({
      name: 'b',
      metric: 'accuracy',
      n: 100,
      scores: {
        pretrained: 0.3,
        finetuned: 0.8,
        merged: 0.6,
        'post-pruning@10': 0.7,
        'peru-fft@5': 0.7,
        'peru-fft@10': 0.75,
      },
    });
    expect(file.average['peru-fft@10']).toBeCloseTo(0.8, 12);
    expect(file.average, 'one task is missing').not.toHaveProperty('peru-fft@1');
    expect(JSON.parse(JSON.stringify(file))).toEqual(file);
  });

  it('names each metric, averages them as they are, and says what was used of the recipe', () => {
    const spearman = { task: 'b', metric: 'spearman', value: -0.2, n: 50, total: 50 } as const;
    const file = resultsFile({
      ...base,
      kind: 'adapters',
      scores: { finetuned: { ...SCORES.finetuned, b: { method: 'finetuned', ...spearman } } },
    });
    expect(file.tasks.map(({ metric }) => metric)).toEqual(['accuracy', 'spearman']);
    expect(file.tasks[1]).toMatchObject({ n: 50, scores: { finetuned: -0.2 } });
    expect(file.average.finetuned).toBeCloseTo((0.9 - 0.2) / 2, 12);
    expect(Object.keys(file.recipe)).toEqual(['mergeMethod', 'lambda', 'rank']);
    const full = resultsFile({ ...base, scores: SCORES });
    expect(Object.keys(full.recipe)).toEqual([
      ...['mergeMethod', 'lambda', 'keptPercent', 'scope'],
      ...['mergedDtype', 'valueDtype'],
    ]);
    const patterns = { include: ['vision_model.*'], exclude: [] };
    const part = resultsFile({ ...base, scores: SCORES, patterns });
    expect(part.recipe).toMatchObject({ include: ['vision_model.*'] });
    expect(part.recipe).not.toHaveProperty('exclude');
    const adapters = resultsFile({ ...base, kind: 'adapters', scores: SCORES, patterns });
    expect(adapters.recipe, 'which are merged whole').not.toHaveProperty('include');
  });

  it('leaves scores on fewer rows out, so that one n holds for a task', () => {
    const partial = {
      method: 'merged',
      task: 'a',
      metric: 'accuracy',
      value: 0.75,
      n: 4,
      total: 100,
    } as const;
    const file = resultsFile({ ...base, scores: { ...SCORES, merged: { a: partial } } });
    expect(file.tasks[0]).toMatchObject({ n: 100 });
    expect(file.tasks[0]?.scores).not.toHaveProperty('merged');
    expect(file.average).not.toHaveProperty('merged');
  });
});

describe('kept entries', () => {
  const counts = new Uint32Array(2048);
  counts[900] = 90;
  counts[1000] = 10;
  const curves = energyCurves({ a: counts });
  const recipe = RECIPE;

  it('are estimated from the histogram until the engine has counted them', () => {
    expect(keptOf('a', recipe, curves, {})).toMatchObject({ kept: 10, basis: 'estimate' });
    const facts = { method: 'peru-fft@10', task: 'a', kept: 10, nonZero: 10, energyShare: 0.5 };
    const exact = keptOf('a', recipe, curves, { 'peru-fft@10': { a: facts } });
    expect(exact).toMatchObject({ basis: 'exact', energyShare: 0.5, low: 0.5, high: 0.5 });
    expect(keptOf('unknown', recipe, curves, {})).toBeNull();
  });

  it('of a ranking per tensor are at most those of the global one', () => {
    expect(keptOf('a', { ...recipe, scope: 'tensor' }, curves, {})?.basis).toBe('at-most');
  });

  it('have no share of energy where NaN or Inf is inside, estimated or counted', () => {
    const nan = Uint32Array.from(counts);
    nan[2044] = 1;
    const some = energyCurves({ a: nan, b: counts });
    const none = { energyShare: null, basis: 'not-defined' };
    expect(keptOf('a', recipe, some, {})).toEqual({ kept: 10, ...none });
    expect(keptOf('a', { ...recipe, scope: 'tensor' }, some, {})).toMatchObject(none);
    expect(keptOf('b', recipe, some, {})?.basis).toBe('estimate');
    const facts = { method: 'peru-fft@10', task: 'b', kept: 10, nonZero: 10, energyShare: null };
    expect(keptOf('b', recipe, some, { 'peru-fft@10': { b: facts } })).toMatchObject(none);
    expect(meanEnergyCurve(some, 20, 10)).toEqual([]);
  });

  it('draw a curve that begins at nothing', () => {
    expect(meanEnergyCurve(new Map(), 20, 10)).toEqual([]);
    const curve = meanEnergyCurve(curves, 20, 10);
    expect(curve).toHaveLength(11);
    expect(curve[0]).toBe(0);
    expect(curve[5]).toBeGreaterThan(0.99);
  });
});
