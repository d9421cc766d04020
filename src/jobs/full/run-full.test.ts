/** What a job scores, in which order, and what it never scores twice. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { type ModelWeights } from '@/tensor/engine';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { NO_CHOICES } from '@/plan/preflight';
import { loadGroup } from '@/jobs/load-group.fixture';
import { type JobEvent } from '@/protocol/events';
import { type Goal } from '@/protocol/goal';
import { type Recipe } from '@/recipe/recipe';
import { type GroupScorer, type RowRange, type SplitFacts } from '@/jobs/scoring/group-scorer';
import { ScoreCache } from '@/jobs/scoring/score-cache';
import { type FullGroup } from './load-full';
import { MeasureCache } from './measure-cache';
import { runFull } from './run-full';

const ROWS = 300;
const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 20,
  scope: 'global',
  compressors: ['peru-fft', 'post-pruning'],
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: 8 },
  lora: DEFAULT_LORA,
};

interface Scored extends RowRange {
  readonly task: number;
  /** First weight of the model scored: tells which one it was. */
  readonly weight: number;
}

let group: FullGroup;
let scored: Scored[];
let events: JobEvent[];

const SPLIT: SplitFacts = {
  name: 'images',
  rowCount: ROWS,
  rowKind: 'image',
  classCount: 2,
  metric: 'accuracy',
};

/** An evaluator that finds every second image right and remembers what it was asked. */
const scorer = {
  location: 'cpu',
  atOnce: 1,
  prepare: () => undefined,
  splits: [SPLIT, SPLIT],
  gpuBytes: 0,
  score: (task: number, { tensors }: ModelWeights, range: RowRange) => {
    const data = tensors.get('w')?.data;
    scored.push({ ...range, task, weight: data instanceof Float32Array ? (data[0] ?? 0) : NaN });
    const n = range.to - range.from;
    return Promise.resolve({ metric: 'accuracy', correct: Math.floor(n / 2), n });
  },
} as unknown as GroupScorer;

function file(path: string, first: number) {
  const values = [first, ...Array.from({ length: 99 }, (_, i) => i / 1000)];
  return { path, file: new File([soundFile({ w: f32([100], values) })], path) };
}

async function run(recipe: Recipe, signal = new AbortController().signal): Promise<void> {
  scored = [];
  events = [];
  await runFull({ group, recipe, signal, emit: (event) => events.push(event) });
}

async function open(files: readonly { readonly path: string; readonly file: File }[]) {
  const opening = { request: { kind: 'files' as const, files }, emit: () => undefined };
  const opened = await loadGroup({ ...opening, signal: new AbortController().signal });
  expect(opened.engine.kind).toBe('processor');
  if (opened.kind !== 'full') throw new Error('Fine-tunes opened as adapters.');
  const tasks = opened.tasks.map((task) => ({ ...task, rowCount: ROWS }));
  group = { ...opened, tasks, scorer };
}

beforeEach(() =>
  open([file('base.safetensors', 0), file('a.safetensors', 1), file('b.safetensors', 3)]),
);

describe('runFull', () => {
  it('completes a table on a sample before it scores the rest', async () => {
    await run(RECIPE);
    const cells = 2 * 5;
    expect(scored.slice(0, cells).every(({ from, to }) => from === 0 && to === 128)).toBe(true);
    expect(
      scored.slice(cells, 2 * cells).every(({ from, to }) => from === 128 && to === ROWS),
    ).toBe(true);
  });

  it('gives every method its own model', async () => {
    await run(RECIPE);
    // theta_0, theta_t and theta* = 0 + 0.5 (1 + 3); the first entry is the largest of every u.
    const sample = scored.slice(0, 10).map(({ weight }) => weight);
    expect(sample).toEqual([0, 1, 2, 1, 1, 0, 3, 2, 3, 3]);
  });

  it('never scores a row twice, nor anything again for the same recipe', async () => {
    await run(RECIPE);
    await run(RECIPE);
    expect(scored).toEqual([]);
    const finals = events.filter((event) => event.type === 'score');
    expect(finals.every(({ score }) => score.n === ROWS)).toBe(true);
    await run({ ...RECIPE, keptPercent: 7 });
    expect(new Set(scored.map(({ weight, task }) => `${task}:${weight}`))).toEqual(
      new Set(['0:1', '1:3']),
    );
    expect(scored).toHaveLength(2 * 2 * 2);
  });

  it('scores merged models again for another merge, and no others', async () => {
    await run(RECIPE);
    await run({ ...RECIPE, mergeMethod: 'simple-average' });
    // The merged model and PERU-FFT at 20, 1, 5 and 10 %; the sample and the rest only for the
    // first two.
    expect(scored).toHaveLength(2 * (2 + 2 + 3));
  });

  it('runs the compressors that the recipe asks for, and no others', async () => {
    await run({ ...RECIPE, compressors: ['peru-fft'] });
    // Three whole models and PERU-FFT, on a sample; no Post-Pruning at any m.
    expect(scored.slice(0, 8).every(({ to }) => to === 128)).toBe(true);
    const told = events.flatMap((event) => (event.type === 'score' ? event.score.method : []));
    expect(new Set(told.map((method) => method.replace(/@.*/, '')))).toEqual(
      new Set(['pretrained', 'finetuned', 'merged', 'peru-fft']),
    );
    const rows = events.flatMap((event) => (event.type === 'storage' ? event.rows : []));
    expect(rows.some(({ method }) => method.startsWith('post-pruning'))).toBe(false);
  });

  it('scores 8-bit values as they are written: with each tensor’s norm restored, or not', async () => {
    const files = ['base', 'a', 'b'].map((name, t) => {
      // The first entry is kept, as the largest of every u.
      const values = Array.from({ length: 100 }, (_, i) => (i === 0 ? 4 : 1) * t * Math.cos(t * i));
      const path = `${name}.safetensors`;
      return { path, file: new File([soundFile({ w: f32([100], values) })], path) };
    });
    await open(files);
    const recipe = { ...RECIPE, valueDtype: 'I8', compressors: ['peru-fft'] } as const;
    const seen: number[] = [];
    for (const rescale of ['none', 'norm'] as const) {
      await run({ ...recipe, rescale });
      const [selection] = await group.weights.select('merged', 1, 'global', [20]);
      const stored = { valueDtype: 'I8', rescaled: rescale === 'norm' } as const;
      const of = { kind: 'sparse', selection: selection!, ...stored } as const;
      const { tensors } = await group.weights.materialize(of, 'cpu');
      const written = (tensors.get('w')!.data as Float32Array)[0]!;
      const ofTask = scored.filter(({ task }) => task === 1).map(({ weight }) => weight);
      expect(ofTask, rescale).toContain(written);
      seen.push(written);
    }
    expect(seen[1]).toBeGreaterThan(seen[0]!);
  });

  it('scores whole models where patterns leave a tensor out', async () => {
    const files = [0, 1, 3].map((first, i) => {
      const tensors = { w: f32([2], [first, 9]), 'x.bias': f32([1], [10 + first]) };
      return { path: `${i}.safetensors`, file: new File([soundFile(tensors)], `${i}`) };
    });
    const { signal } = new AbortController();
    const request = { kind: 'files' as const, files, base: '0.safetensors' };
    const opening = { request, emit: () => undefined, signal };
    const opened = await loadGroup(opening, { ...NO_CHOICES, exclude: ['x.*'] });
    if (opened.kind !== 'full') throw new Error('Fine-tunes opened as adapters.');
    const seen: number[] = [];
    const whole: GroupScorer = {
      ...scorer,
      modelWeights: ['w', 'x.bias'],
      score: (task, weights, range) => {
        seen.push((weights.tensors.get('x.bias')?.data as Float32Array | undefined)?.[0] ?? NaN);
        return scorer.score(task, weights, range);
      },
    };
    const tasks = opened.tasks.map((task) => ({ ...task, rowCount: 1 }));
    group = { ...opened, tasks, scorer: whole };
    await run(RECIPE);
    // Pretrained, the task's own, merged, PERU-FFT and Post-Pruning: by task.
    expect(seen.slice(0, 10)).toEqual([10, 11, 10, 10, 10, 10, 13, 10, 10, 10]);
  });

  it('uses streamed weights task by task, and finds what resident ones give', async () => {
    await run(RECIPE);
    const facts = (of: JobEvent[]) => of.filter(({ type }) => type === 'sparse');
    const bytes = (of: JobEvent[]) => of.filter(({ type }) => type === 'storage').at(-1);
    const [residentFacts, residentBytes] = [facts(events), bytes(events)];
    const memory = { ...group.memory, mode: 'streamed' as const };
    group = { ...group, memory, scores: new ScoreCache(), measures: new MeasureCache() };
    await run(RECIPE);
    const byKey = (a: JobEvent, b: JobEvent) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    expect(facts(events).sort(byKey)).toEqual(residentFacts.sort(byKey));
    expect(bytes(events)).toEqual(residentBytes);
    const tasks = scored.map(({ task }) => task);
    expect(tasks, 'each task once').toEqual([...tasks].sort());
    expect(scored.every(({ from, to }) => from === 0 && to === ROWS)).toBe(true);
  });

  /** What is asked of the engine from now on: passes over a task's weights. */
  function watchPasses(): string[] {
    const asked: string[] = [];
    const { weights } = group;
    const [select, measure] = [weights.select.bind(weights), weights.measure.bind(weights)];
    vi.spyOn(weights, 'select').mockImplementation((center, task, scope, percents) => {
      asked.push(`select ${center} ${task}: ${percents.join(' ')}`);
      return select(center, task, scope, percents);
    });
    vi.spyOn(weights, 'measure').mockImplementation((selections) => {
      asked.push(`measure ${selections.length}`);
      return measure(selections);
    });
    return asked;
  }

  it('selects and measures all m of a streamed task together', async () => {
    group = { ...group, memory: { ...group.memory, mode: 'streamed' } };
    const asked = watchPasses();
    await run(RECIPE);
    expect(asked).toEqual([
      ...['select merged 0: 20 1 5 10', 'measure 4', 'select base 0: 20 1 5 10', 'measure 4'],
      ...['select merged 1: 20 1 5 10', 'measure 4', 'select base 1: 20 1 5 10', 'measure 4'],
    ]);
  });

  it('selects them together also where measures are known and scores are not', async () => {
    group = { ...group, memory: { ...group.memory, mode: 'streamed' } };
    await run(RECIPE);
    group = { ...group, scores: new ScoreCache() };
    const asked = watchPasses();
    await run(RECIPE);
    expect(asked).toEqual([
      ...['select merged 0: 20 1 5 10', 'select base 0: 20 1 5 10'],
      ...['select merged 1: 20 1 5 10', 'select base 1: 20 1 5 10'],
    ]);
  });

  it('shows the m asked for first, then the chart with one selection a task', async () => {
    const asked = watchPasses();
    await run({ ...RECIPE, compressors: ['peru-fft'] });
    expect(asked).toEqual([
      ...['select merged 0: 20', 'measure 1', 'select merged 1: 20', 'measure 1'],
      ...['select merged 0: 1 5 10', 'measure 3', 'select merged 1: 1 5 10', 'measure 3'],
    ]);
  });

  it('repeats on the chart nothing of what the slider computed', async () => {
    const asked = watchPasses();
    await run({ ...RECIPE, compressors: ['peru-fft'], keptPercent: 5 });
    asked.length = 0;
    await run({ ...RECIPE, compressors: ['peru-fft'] });
    expect(asked).toEqual([
      ...['select merged 0: 20', 'measure 1', 'select merged 1: 20', 'measure 1'],
    ]);
  });

  it('stops at an abort', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(run(RECIPE, controller.signal)).rejects.toThrow(/abort/i);
    expect(scored).toEqual([]);
  });
});

describe('a goal', () => {
  const seek = async (goal: Goal, recipe = RECIPE) => {
    scored = [];
    events = [];
    const signal = new AbortController().signal;
    await runFull({ group, recipe, signal, emit: (event) => events.push(event) }, goal);
    return events.flatMap((event) => (event.type === 'found' ? [event.found] : []));
  };
  const sparseBytes = (method: string): number[] => {
    const rows = events.findLast((event) => event.type === 'storage')!.rows;
    const files = rows.find((row) => row.method === method)!.files;
    return files.filter(({ name }) => name.includes('.sparse.')).map(({ bytes }) => bytes);
  };

  it('of bytes is kept by every task, and nearly filled; the run goes on with it', async () => {
    const [found] = await seek({ kind: 'bytes', bytesPerTask: 480 });
    const { keptPercent, valueDtype } = found!.change;
    expect(valueDtype).toBe('Q4');
    const own = sparseBytes(`peru-fft@${keptPercent}`);
    expect(own).toHaveLength(2);
    expect(Math.max(...own)).toBeLessThanOrEqual(480);
    const next = await seek({ kind: 'bytes', bytesPerTask: 1e6 });
    expect(next[0]!.change.keptPercent).toBe(100);
    expect(found!.chosenBy).toBe('a budget of 480 bytes a task');
  });

  it('of too few bytes tells the least there is', async () => {
    const seeking = seek({ kind: 'bytes', bytesPerTask: 20 });
    await expect(seeking).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(seeking).rejects.toThrow(/No m gives files of 20 bytes a task.* takes \d+/);
    expect(events.some(({ type }) => type === 'found')).toBe(false);
  });

  it('of accuracy is chosen by the first half of the rows, and told on the others', async () => {
    const found = await seek({ kind: 'recovery', percent: 99 });
    expect(found).toHaveLength(2);
    // Every second image is right, whatever the model.
    expect(found[1]!.chosenBy).toMatch(
      /^the first 150 rows of each test, where it keeps 100\.0 %.*; on the other rows it keeps 100\.0 %$/,
    );
    // What was looked at on the way is no result.
    const told = events.flatMap((event) => (event.type === 'score' ? [event.score.method] : []));
    const { keptPercent } = found[0]!.change;
    const ours = new Set(told.filter((method) => method.startsWith('peru-fft')));
    expect([...ours].sort()).toEqual([1, 5, 10, keptPercent].map((m) => `peru-fft@${m}`).sort());
  });

  it('of accuracy is refused where nothing is scored, or nothing reaches it', async () => {
    const seeking = seek({ kind: 'recovery', percent: 101 });
    await expect(seeking).rejects.toThrow(/No m keeps 101 % of the fine-tuned average/);
    group = { ...group, scorer: null };
    await expect(seek({ kind: 'recovery', percent: 99 })).rejects.toThrow(/no task of this group/);
  });
});
