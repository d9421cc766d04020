/**
 * How many requests a scored vision preset makes. The Hub lets an address make 3,000 of files and 500
 * of its API in five minutes; the budget leaves room for a second try, and for a neighbour.
 */
import { pageFile } from '@/jobs/context/page-files.fixture';
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FixtureRepo, memoryFiles, repoOf } from '../../e2e/fixture-hub/content';
import { writeParquet } from '../../e2e/fixture-hub/parquet-writer';
import { presetRepos } from '../../e2e/fixture-hub/preset-repos';
import { type FixtureHub, startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { planGroup } from '@/plan/plan-group';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { presetOf } from '@/sources/presets';
import { readFlatRange } from '@/tensor/checkpoint-tensors';
import { planChunks } from '@/tensor/layout';
import { groupSources } from '@/jobs/open/group-sources';
import { readModelFacts } from '@/jobs/group/model-facts';
import { type ImageTest } from '@/jobs/scoring/tests';

const FILE_BUDGET = 880;
const API_BUDGET = 60;
/** What a GPU takes by default: a binding of 128 MiB holds a chunk of eight tasks in F32. */
const CHUNK_ELEMENTS = 2 ** 22;
/** 255 MB of the base that no task changes, for the head of zero-shot classes, by 32 MiB. */
const TEXT_TOWER_READS = 8;
const PRESET = presetOf('clip-vit-base-patch32')!;

interface Layout {
  /** Row groups in the file that a sample comes from, rows in each, and bytes of an image. */
  readonly groups: number;
  readonly rows: number;
  readonly bytes: number;
  /** Sets that are read as this one is. */
  readonly alike: number;
}

/** As the sets are laid out; large pictures just large enough for groups not to be read whole. */
const LAYOUTS: Readonly<Record<string, Layout>> = {
  // And Cars, RESISC45 and GTSRB.
  sun397: { groups: 64, rows: 100, bytes: 5500, alike: 4 },
  eurosat: { groups: 27, rows: 100, bytes: 3000, alike: 1 },
  svhn: { groups: 128, rows: 100, bytes: 1500, alike: 1 },
  mnist: { groups: 10, rows: 100, bytes: 300, alike: 1 },
  dtd: { groups: 19, rows: 100, bytes: 5500, alike: 1 },
};

const NOISE = randomBytes(4_000_000);

/** A test set with bytes for pictures: nothing here looks at them. */
function dataSet(task: (typeof PRESET.tasks)[number]): FixtureRepo {
  if (task.test.kind !== 'image') throw new Error(`${task.name} is no image task.`);
  const { repo, folder, split, classes } = task.test;
  const { groups, rows: rowsPerGroup, bytes } = LAYOUTS[task.name]!;
  const names = (JSON.parse(presetFile(classes)) as { classNames: string[] }).classNames;
  const rows = Array.from({ length: groups * rowsPerGroup }, (_, row) => row);
  const image = (row: number): Uint8Array => {
    const start = (row * 7919) % (NOISE.length - bytes);
    return NOISE.subarray(start, start + bytes);
  };
  const features = { image: { _type: 'Image' }, label: { _type: 'ClassLabel', names } };
  const file = writeParquet(
    [
      { path: ['image', 'bytes'], kind: 'bytes', values: rows.map(image) },
      { path: ['image', 'path'], kind: 'text', values: rows.map((row) => `${row}.png`) },
      { path: ['label'], kind: 'int', values: rows.map((row) => row % names.length) },
    ],
    // Pictures outgrow what pyarrow puts into a dictionary.
    { rowsPerGroup, dictionary: false, features },
  );
  return repoOf(repo, memoryFiles({ [`${folder}/${split}-00000-of-00001.parquet`]: file }));
}

function presetFile(name: string): string {
  return readFileSync(new URL(`../../public/presets/${name}`, import.meta.url), 'utf8');
}

let hub: FixtureHub;
const counted = { api: 0, files: 0 };

beforeAll(async () => {
  const { repos } = presetRepos(PRESET.id, { rows: 3 });
  const dataSets = PRESET.tasks.filter(({ name }) => name in LAYOUTS).map(dataSet);
  hub = await startFixtureHub({ repos, dataSets });
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', async (input: string | URL, init?: RequestInit) => {
    const url = String(input);
    const own = pageFile(url);
    if (own !== null) return own;
    const range = new Headers(init?.headers).get('range');
    if (!url.includes('/resolve/')) counted.api += 1;
    else counted.files += 1;
    const [start = 0, last = 0] = (range ?? '').replace('bytes=', '').split('-').map(Number);
    // A long way over the network is a short one here: gigabytes take a server long.
    const isHere = url.endsWith('.parquet') || last - start > 500_000;
    return isHere ? answerHere(url, start, last + 1) : fetch(input, init);
  });

  async function answerHere(url: string, start: number, end: number): Promise<Response> {
    const repo = [...dataSets, ...repos].find(({ id }) => url.includes(`/${id}/resolve/`))!;
    const files = [...repo.revisions.values()].at(-1)!;
    const [path, file] = [...files].find(([name]) => url.endsWith(name))!;
    const isWeights = path.endsWith('.safetensors');
    const body = isWeights ? new Uint8Array(end - start) : await file.read(start, end);
    const headers = { 'content-range': `bytes ${start}-${end - 1}/${file.size}` };
    return new Response(new Uint8Array(body), { status: 206, headers });
  }
}, 120_000);

afterAll(async () => {
  vi.unstubAllGlobals();
  await hub.close();
});

it('a scored vision preset stays within its budget of requests', async () => {
  const { hubUrl } = hub;
  const repos = [PRESET.base, ...PRESET.tasks.map(({ ref }) => ref)];
  const request = { kind: 'hub', hubUrl, repos, base: PRESET.base, preset: PRESET.id } as const;
  const sources = await groupSources(request, TEST_OPTIONS);
  if (sources.kind !== 'full') throw new Error('The preset opened as adapters.');

  const models = [sources.base, ...sources.tasks.map(({ model }) => model)];
  const checkpoints = await Promise.all(models.map((model) => openWeights(model)));
  await Promise.all(models.map((model) => readModelFacts(model, {})));
  const [base, ...tasks] = checkpoints;
  const patterns = { include: [], exclude: [] };
  const { layout: flat, dtypeOf } = planGroup({ base: base!, tasks, patterns, configs: [] });
  const before = counted.files;
  for (const chunk of planChunks(flat, checkpoints.length, dtypeOf, CHUNK_ELEMENTS)) {
    await readFlatRange(tasks[0]!, flat, chunk.flatStart, chunk.elementCount);
  }
  // The towers are alike: one stands for the base's and the other tasks'.
  counted.files += (counted.files - before) * tasks.length;
  counted.files += TEXT_TOWER_READS;

  for (const { name, scoredOn } of sources.tasks) {
    const layout = LAYOUTS[name];
    if (layout === undefined) continue;
    const [files, api] = [counted.files, counted.api];
    const { dataset } = await (scoredOn as ImageTest).open({});
    const rows = await dataset.readRows(0, dataset.rowCount);
    expect(rows).toHaveLength(512);
    counted.files += (counted.files - files) * (layout.alike - 1);
    counted.api += (counted.api - api) * (layout.alike - 1);
  }
  console.log(
    `A scored vision preset: ${counted.files} requests of files, ${counted.api} of the API`,
  );
  expect(counted.files).toBeLessThanOrEqual(FILE_BUDGET);
  expect(counted.api).toBeLessThanOrEqual(API_BUDGET);
}, 120_000);
