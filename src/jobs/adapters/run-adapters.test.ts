/** What a job on adapters scores and tells, on tiny files and the processor engine. */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_SETTINGS } from '@/export/adapter/adapter-config';
import { type ModelWeights } from '@/tensor/engine';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { loadGroup } from '@/jobs/load-group.fixture';
import { type JobEvent } from '@/protocol/events';
import { type SourceRequest } from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';
import { type GroupScorer, type RowRange, type SplitFacts } from '@/jobs/scoring/group-scorer';
import { floatWeights } from '@/jobs/group/float-weights';
import { type AdapterGroup } from './adapter-group';
import { MergedAdapters } from './merged-adapters';
import { runAdapters } from './run-adapters';

const ROWS = 300;
const OUT = 4;
const IN = 3;
const RANK = 2;
const ALPHA = 4;
const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: 1 },
  lora: DEFAULT_LORA,
};

type Files = Extract<SourceRequest, { kind: 'files' }>['files'];

interface Scored {
  readonly task: number;
  readonly from: number;
  readonly q: readonly number[];
  readonly bias: readonly number[];
}

const base = Array.from({ length: OUT * IN }, (_, i) => i / 10);
const baseBias = [1, 2, 3, 4];
/** lora_A [RANK, IN] and lora_B [OUT, RANK] of each task; no two singular values are close. */
const factors = [
  { a: [1, 0, 0, 0, 0.5, 0], b: [2, 0, 0, 1, 0, 0, 0, 0] },
  { a: [0, 3, 0, 1, 0, 1], b: [0, 0, 1, 0, 0, 2, 0, 0] },
];
const biasOfSecond = [5, 2, 3, 4];

function adapterFiles(name: string, task: number, bias = biasOfSecond): Files {
  const { a, b } = factors[task]!;
  const key = 'base_model.model.layer.q';
  const config = { peft_type: 'LORA', r: RANK, lora_alpha: ALPHA, target_modules: ['q'] };
  const withBias = task === 1;
  const tensors = {
    [`${key}.lora_A.weight`]: f32([RANK, IN], a),
    [`${key}.lora_B.weight`]: f32([OUT, RANK], b),
    ...(withBias ? { 'base_model.model.layer.q.bias': f32([OUT], bias) } : {}),
  };
  const json = JSON.stringify({ ...config, bias: withBias ? 'lora_only' : 'none' });
  return [
    { path: `${name}/adapter_config.json`, file: new File([json], 'adapter_config.json') },
    {
      path: `${name}/adapter_model.safetensors`,
      file: new File([soundFile(tensors)], 'adapter_model.safetensors'),
    },
  ];
}

/** The weight of a task by plain arithmetic: W + (alpha / r) B A. */
function expectedWeight(task: number, share = 1): number[] {
  const { a, b } = factors[task]!;
  return base.map((value, i) => {
    const [row, column] = [Math.floor(i / IN), i % IN];
    let delta = 0;
    for (let k = 0; k < RANK; k++) delta += b[row * RANK + k]! * a[k * IN + column]!;
    return value + share * (ALPHA / RANK) * delta;
  });
}

let group: AdapterGroup;
let scored: Scored[];
let events: JobEvent[];

const SPLIT: SplitFacts = {
  name: 'texts',
  rowCount: ROWS,
  rowKind: 'text',
  classCount: 2,
  metric: 'accuracy',
};

const scorer: GroupScorer = {
  location: 'cpu',
  splits: [SPLIT, SPLIT],
  unscoredBecause: [],
  modelWeights: [],
  gpuBytes: 0,
  atOnce: 1,
  prepare: () => undefined,
  score: (task: number, { tensors }: ModelWeights, { from, to }: RowRange) => {
    const read = (name: string): number[] => [...(tensors.get(name)?.data as Float32Array)];
    scored.push({ task, from, q: read('layer.q.weight'), bias: read('layer.q.bias') });
    return Promise.resolve({ metric: 'accuracy', correct: to - from, n: to - from });
  },
  dispose: () => undefined,
};

function heard<Type extends JobEvent['type']>(type: Type): Extract<JobEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<JobEvent, { type: Type }> => event.type === type);
}

async function run(recipe: Recipe): Promise<void> {
  scored = [];
  events = [];
  const { signal } = new AbortController();
  await runAdapters({ group, recipe, signal, emit: (event) => events.push(event) });
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
}

function baseFile(): Files[number] {
  const weights = soundFile({
    'layer.q.weight': f32([OUT, IN], base),
    'layer.q.bias': f32([OUT], baseBias),
  });
  return { path: 'base.safetensors', file: new File([weights], 'base.safetensors') };
}

beforeEach(async () => {
  const files: Files = [baseFile(), ...adapterFiles('first', 0), ...adapterFiles('second', 1)];
  events = [];
  const { signal } = new AbortController();
  const emit = (event: JobEvent) => events.push(event);
  const opened = await loadGroup({ request: { kind: 'files', files }, emit, signal });
  if (opened.kind !== 'adapters') throw new Error('Adapters opened as fine-tunes.');
  const tasks = opened.tasks.map((task) => ({ ...task, rowCount: ROWS }));
  const options = { allowNonFinite: false, emit, signal };
  const baseWeights = await floatWeights(opened.engine, opened.base, 'cpu', options);
  group = { ...opened, tasks, scorer, baseWeights };
});

describe('opening', () => {
  it('tells which modules are adapted and how far their ranks go', () => {
    expect(heard('group')[0]?.group.contents).toEqual({
      kind: 'adapters',
      modules: [{ name: 'layer.q.weight', rows: OUT, columns: IN, layer: 'linear' }],
      tasks: [
        { task: 'first', ranks: [RANK], writtenNames: {}, copies: [], source: NO_SETTINGS },
        {
          task: 'second',
          ranks: [RANK],
          copies: [{ name: 'layer.q.bias', dtype: 'F32', shape: [OUT] }],
          writtenNames: {},
          source: NO_SETTINGS,
        },
      ],
      baseModel: null,
      maxRank: RANK,
    });
  });
});

it('refuses NaN in a copy that an adapter brings along, unless told to go on', async () => {
  const files = [baseFile(), ...adapterFiles('second', 1, [5, Number.NaN, 3, 4])];
  const { signal } = new AbortController();
  const opening = { emit: () => undefined, signal };
  const request = { kind: 'files' as const, files };
  await expect(loadGroup({ ...opening, request })).rejects.toMatchObject({
    kind: 'non-finite',
    message: expect.stringMatching(/second.*"layer\.q\.bias" \(1\)/) as string,
  });
  const allowed = await loadGroup({ ...opening, request: { ...request, allowNonFinite: true } });
  expect(allowed.kind).toBe('adapters');
});

describe('running', () => {
  it('scores the base, each adapter, the merged one and the truncated ones', async () => {
    await run(RECIPE);
    // Pretrained, adapter, merged, rank 1 on the sample; the same on the rest; then rank 2.
    expect(scored).toHaveLength(2 * 4 * 2 + 2);
    const [pretrained, first, merged] = scored;
    expect(pretrained?.q).toEqual([...Float32Array.from(base)]);
    expectClose(first!.q, expectedWeight(0));
    const sum = base.map(
      (value, i) =>
        value + 0.5 * (expectedWeight(0)[i]! - value) + 0.5 * (expectedWeight(1)[i]! - value),
    );
    expectClose(merged!.q, sum);
    expectClose(merged!.bias, [3, 2, 3, 4]);
    const second = scored.filter(({ task }) => task === 1)[1];
    expectClose(second!.q, expectedWeight(1));
    expect(second!.bias).toEqual(biasOfSecond);
  });

  it('gives back the adapter itself at full rank, and the best of lower rank below', async () => {
    await run({ ...RECIPE, rank: { by: 'count', q: RANK } });
    const full = scored.filter(({ task, from }) => task === 0 && from === 0)[3];
    expectClose(full!.q, expectedWeight(0));
    await run(RECIPE);
    const low = scored.find(({ task }) => task === 0);
    // B A of the first task is diagonal, 4 and 1: the second singular value is left out.
    const expected = [...base];
    expected[0]! += (ALPHA / RANK) * 2;
    expectClose(low!.q, expected);
  });

  it('tells singular values, kept energy and bytes', async () => {
    await run(RECIPE);
    const [event] = heard('spectra');
    expectClose([...(event?.spectra[0]?.modules[0] ?? [])], [4, 1]);
    const facts = heard('low-rank').find(
      ({ facts: one }) => one.method === 'peru-lora@1' && one.task === 'first',
    )?.facts;
    expect(facts?.energyShare).toBeCloseTo(16 / 17, 6);
    expect(facts?.ranks).toEqual([1]);
    const rows = heard('storage').at(-1)?.rows ?? [];
    expect(rows.map(({ method }) => method)).toEqual([
      'pretrained',
      'finetuned',
      'merged',
      'peru-lora@1',
      'peru-lora@2',
    ]);
    const first = rows[3]?.files.filter(({ name }) => name.startsWith('first/'));
    expect(first?.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(facts?.bytes);
  });

  it('merges anew for another λ only, and scores nothing twice', async () => {
    await run(RECIPE);
    await run(RECIPE);
    expect(scored).toEqual([]);
    await run({ ...RECIPE, lambda: 1 });
    expect(scored).toHaveLength(2 * 2);
    await run({ ...RECIPE, lambda: 1, rank: { by: 'energy', percent: 90 } });
    expect(scored).toHaveLength(2 * 2);
  });

  /** Sizes of the factorisations made from now on, in products. */
  function watchFactorisations(): number[] {
    const made: number[] = [];
    const create = group.engine.createLowRankGroup.bind(group.engine);
    vi.spyOn(group.engine, 'createLowRankGroup').mockImplementation((products) => {
      made.push(products.length);
      return create(products);
    });
    return made;
  }

  it('factorises adapters once, and a merge once while the last few are held', async () => {
    const made = watchFactorisations();
    await run(RECIPE);
    const before = heard('storage').at(-1)?.rows;
    const dispatched = heard('spectra')[0]?.report;
    for (const lambda of [1, 0.5, 1, 0.25, 0.5]) await run({ ...RECIPE, lambda });
    expect(made, 'one a λ, of one weight').toEqual([1, 1, 1]);
    expect(heard('storage').at(-1)?.rows).toEqual(before);
    expect(heard('spectra')[0]?.report).toBe(dispatched);
    const { liveBytes } = group.engine.memory();
    group.dispose();
    expect(group.engine.memory().liveBytes).toBeLessThan(liveBytes);
  });

  it('holds one merge alone where the budget leaves no room for others', async () => {
    group = { ...group, mergedLately: new MergedAdapters(0) };
    const made = watchFactorisations();
    await run(RECIPE);
    const { liveBytes } = group.engine.memory();
    await run({ ...RECIPE, lambda: 1 });
    await run(RECIPE);
    expect(made).toEqual([1, 1, 1]);
    expect(group.engine.memory().liveBytes).toBe(liveBytes);
    await run(RECIPE);
    expect(made).toHaveLength(3);
    group.mergedLately.dispose();
  });
});
