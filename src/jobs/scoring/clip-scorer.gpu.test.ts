/** Groups of whole CLIPs, on the embedded zoo's: whose text tower makes the classes. */
import { expect, it } from 'vitest';
import { fetchBytes } from '@/evaluate/golden/providers';
import { isBesideVision, readZooTask, readZooWeights, spoiled } from '@/evaluate/golden/zoo';
import { type Json } from '@/evaluate/runtime/config-json';
import { type Provider } from '@/evaluate/runtime/graph-session';
import { Lanes } from '@/evaluate/runtime/lanes';
import { type CheckpointSource } from '@/formats/checkpoint/checkpoint-source';
import { startLanes } from '@/platform/browser/lane-threads';
import { soundFile } from '@/tensor/safetensors.fixture';
import { openClipScorer } from './clip-scorer';
import { type GroupScorer } from './group-scorer';
import { type ImageTest } from './tests';

const BASE = 'models/clip-tiny';
const ROWS = 60;
/** Three blocks, the last cut short. */
const ROWS_OF_BLOCKS = 300;

type Tensors = Awaited<ReturnType<typeof readZooWeights>>;

function checkpoint(tensors: Tensors): CheckpointSource {
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return [name, { dtype: 'F32', shape, bytes }] as const;
  });
  const weights = new Blob([soundFile(Object.fromEntries(entries))]);
  return {
    id: 'base',
    name: 'base',
    folder: 'base',
    weightsPath: 'model.safetensors',
    open: async (path) =>
      path === 'model.safetensors' ? weights : new Blob([await fetchBytes(`/zoo/${BASE}/${path}`)]),
  };
}

async function readConfig(): Promise<Json> {
  const bytes = await fetchBytes(`/zoo/${BASE}/config.json`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}

async function digits(rowCount: number): Promise<ImageTest> {
  const { classNames, templates, images, labels } = await readZooTask('digits');
  const rows = images.map((bytes, i) => ({ bytes: new Uint8Array(bytes), label: labels[i]! }));
  const dataset = {
    name: 'digits',
    rowCount,
    ofRowCount: rowCount,
    classNames,
    readRows: (start: number, end: number) => Promise.resolve(rows.slice(start, end)),
  };
  return { kind: 'image', name: 'digits', open: () => Promise.resolve({ dataset, templates }) };
}

async function correctOf(group: GroupScorer, tensors: Tensors, to = ROWS): Promise<number> {
  const { signal } = new AbortController();
  const weights = { tensors, dispose: () => undefined };
  const outcome = await group.score(0, weights, { from: 0, to, signal });
  if (outcome.metric !== 'accuracy') throw new Error('Images are scored by accuracy.');
  return outcome.correct;
}

it('the base’s where models change the vision tower alone, else each model’s own', async () => {
  const base = await readZooWeights(BASE);
  const tuned = new Map([...base, ...(await readZooWeights(`${BASE}_digits`))]);
  const other = spoiled(tuned, isBesideVision);
  const open = async (of: Tensors, isChanged: (name: string) => boolean) =>
    openClipScorer([await digits(ROWS)], {
      base: checkpoint(of),
      config: await readConfig(),
      provider: { kind: 'wasm' },
      changed: new Set([...base.keys()].filter(isChanged)),
      options: {},
    });
  // The oracle: the same models, each on itself as the base.
  const alone = [];
  for (const model of [tuned, other]) {
    const group = await open(model, (name) => !isBesideVision(name));
    expect(group.modelWeights.some(isBesideVision)).toBe(false);
    alone.push(await correctOf(group, model));
    // Whatever else a model holds, heads are the base's.
    expect(await correctOf(group, model === tuned ? other : tuned)).toBe(alone.at(-1));
    group.dispose();
  }
  expect(alone[0]).toBeGreaterThan(alone[1]! + 10);
  const whole = await open(
    spoiled(base, () => true),
    () => true,
  );
  expect(whole.modelWeights.filter(isBesideVision).length).toBeGreaterThan(10);
  for (const [i, model] of [tuned, other].entries()) {
    expect(await correctOf(whole, model)).toBe(alone[i]);
  }
  whole.dispose();
});

it('counts what several blocks get right, scored one by one or side by side', async () => {
  const base = await readZooWeights(BASE);
  const score = async (provider: Provider) => {
    const group = await openClipScorer([await digits(ROWS_OF_BLOCKS)], {
      base: checkpoint(base),
      config: await readConfig(),
      provider,
      changed: new Set([...base.keys()].filter((name) => !isBesideVision(name))),
      options: {},
    });
    const correct = await correctOf(group, base, ROWS_OF_BLOCKS);
    group.dispose();
    return correct;
  };
  const alone = await score({ kind: 'wasm', threads: 1 });
  expect(alone).toBeGreaterThan(ROWS);
  expect(await score({ kind: 'wasm', lanes: new Lanes(2, startLanes) })).toBe(alone);
});
