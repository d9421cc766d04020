/**
 * What can go wrong between a Hub and this disk while a job of some size runs. After each fault
 * the table stands or a message says what to do; bytes that came before are not fetched again.
 */
import { type Page } from '@playwright/test';
import { expect, test } from './fixtures';
import { type FixtureFiles, memoryFile, memoryFiles, repoOf } from './fixture-hub/content';
import { expectQuiet } from './fixture-hub/expect-quiet';
import { type FixtureHub, startFixtureHub } from './fixture-hub/start-fixture-hub';
import { syntheticFile } from './fixture-hub/synthetic';
import { PeruPage } from './pages/peru-page';

const TOKEN = 'hf_secretsecretsecret';
const SECOND_TOKEN = 'hf_anothersecret';
const BASE = 'me/base';
const TASKS = Array.from({ length: 8 }, (_, i) => `me/task-${i + 1}`);
const PRIVATE = 'me/private';
const SHARDED = 'me/sharded';
/** 8.4 MB a model, 76 MB the group: more than what starts by itself. */
const TENSORS = [
  { name: 'layer.0.weight', shape: [1024, 1024] },
  { name: 'layer.1.weight', shape: [1024, 1024] },
  { name: 'norm.bias', shape: [1023] },
];
/** To one server at a time, in Chromium over HTTP/1.1; a piece is a whole model at most. */
const CONNECTIONS = 6;
const MODEL_BYTES = 4 * (2 * 1024 * 1024 + 1023);

function model(task: number): FixtureFiles {
  return new Map([
    ['model.safetensors', syntheticFile({ tensors: TENSORS, dtype: 'F32', seed: 3, task })],
    ['config.json', memoryFile('config.json', '{"model_type":"made-up"}')],
  ]);
}

/** Its index names a second shard, which is not there. */
const SHARD_MISSING: FixtureFiles = new Map([
  ...memoryFiles({
    'model.safetensors.index.json': JSON.stringify({
      weight_map: {
        'layer.0.weight': 'model-00001-of-00002.safetensors',
        'norm.bias': 'model-00002-of-00002.safetensors',
      },
    }),
    'config.json': '{}',
  }),
  [
    'model-00001-of-00002.safetensors',
    syntheticFile({ tensors: TENSORS.slice(0, 1), dtype: 'F32', seed: 3, task: 9 }),
  ],
]);

let hub: FixtureHub;

test.beforeEach(async () => {
  hub = await startFixtureHub({
    repos: [
      repoOf(BASE, model(0)),
      ...TASKS.map((id, i) => repoOf(id, model(i + 1))),
      repoOf(PRIVATE, model(9), { private: true }),
      repoOf(SHARDED, SHARD_MISSING),
    ],
    tokens: { [TOKEN]: [PRIVATE], [SECOND_TOKEN]: [PRIVATE] },
  });
});

test.afterEach(() => hub.close());

function linkTo(tasks: readonly string[] = TASKS): string {
  const query = [`base=${BASE}`, ...tasks.map((task) => `task=${task}`), `hub=${hub.hubUrl}`];
  return `?${query.join('&')}&merge=task-arithmetic&lambda=0.3&m=10`;
}

/** Bytes of weights that left the Hub since the log was cleared. */
function weightBytes(): number {
  return hub.requests
    .filter(({ server }) => server === 'content')
    .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
}

/** Every byte once, and little more than what connections took with them. */
function expectOnce(bytes: number, { lostBytes = 0 } = {}): void {
  const group = (TASKS.length + 1) * MODEL_BYTES;
  expect(bytes / group).toBeGreaterThan(0.99);
  expect((bytes - lostBytes) / group).toBeLessThan(1.02);
}

const SLOW = { kind: 'slow', bytesPerSecond: 500_000, path: /model\.safetensors/ } as const;

/** Waits until so many bytes of weights have come. */
async function arrived(bytes: number): Promise<void> {
  await expect.poll(weightBytes).toBeGreaterThan(bytes);
}

/** Bytes of weights this browser keeps on disk. */
function keptBytes(page: Page): Promise<number> {
  return page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
}

test('goes on after twenty dropped connections of one download', async ({ peru }) => {
  await peru.open(linkTo());
  await peru.start();
  const times = 20;
  hub.fault({ kind: 'drop', afterBytes: 3_000_000, path: /./, server: 'content', times });
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  // What a browser holds of an answer and has not handed out is gone with its connection: half a
  // megabyte in the pipe to the page, and what is queued. Beginning anew would cost three times that.
  expectOnce(weightBytes(), { lostBytes: times * 2 ** 20 });
});

test('a tab closed in the middle leaves what has come, and the next one takes it', async ({
  peru,
  context,
}) => {
  await peru.open(linkTo());
  hub.fault({ ...SLOW, bytesPerSecond: 2_000_000, times: Infinity });
  await peru.start();
  await arrived((CONNECTIONS + 1) * MODEL_BYTES);
  await peru.page.close();
  hub.clearFaults();
  const first = weightBytes();
  hub.clearLog();
  const again = new PeruPage(await context.newPage());
  await again.open(linkTo());
  await again.start();
  await again.waitDone();
  expect(first + weightBytes(), 'pieces under way are the most that is lost').toBeLessThan(
    (TASKS.length + 1 + CONNECTIONS) * MODEL_BYTES,
  );
  expect(weightBytes()).toBeLessThan(0.9 * (TASKS.length + 1) * MODEL_BYTES);
});

test('two tabs on one cache end with the same files, none of them torn', async ({
  peru,
  context,
}) => {
  const other = new PeruPage(await context.newPage());
  await Promise.all([peru.open(linkTo()), other.open(linkTo())]);
  await Promise.all([peru.start(), other.start()]);
  await Promise.all([peru.waitDone(), other.waitDone()]);
  const storage = async (one: PeruPage) => (await one.results()).storage;
  expect(await storage(other)).toEqual(await storage(peru));
  hub.clearLog();
  await peru.page.reload();
  await peru.start();
  await peru.waitDone();
  expect(weightBytes()).toBe(0);
});

test('a file that is not what the listing says is never used', async ({ peru }) => {
  await peru.open(linkTo());
  await expect(peru.startButton).toBeEnabled();
  hub.fault({ kind: 'wrong-etag', path: /./, server: 'content', times: Infinity });
  hub.fault({ kind: 'wrong-hash', path: /./, times: Infinity });
  await peru.start();
  await expect(peru.alert).toContainText(/task-\d|base/);
  await expect(peru.storageTable).toHaveCount(0);
  hub.clearFaults();
  await peru.tryAgain();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});

test('goes on without keeping files where the disk has no room', async ({ peru, page }) => {
  await peru.open(linkTo());
  const devtools = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 12e6 });
  await peru.start();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  // Of nine models what was written before the disk was full: the browser counts some of it late, and how
  // much of it is the machine's to say.
  expect(await keptBytes(page)).toBeLessThan(TASKS.length * MODEL_BYTES);
  expectOnce(weightBytes());
});

test('says that a token was withdrawn, and goes on with the next', async ({ peru, page }) => {
  await page.goto(`./?demo=fft&hub=${hub.hubUrl}`);
  await peru.giveToken(TOKEN);
  await peru.openRepos(BASE, PRIVATE, ...TASKS);
  await expect(peru.startButton).toBeEnabled();
  hub.fault({ ...SLOW, times: Infinity });
  await peru.start();
  await arrived(MODEL_BYTES);
  hub.revokeToken(TOKEN);
  hub.clearFaults();
  await expect(peru.alert).toContainText(/did not accept the access token for me\//);
  const before = weightBytes();
  await peru.giveToken(SECOND_TOKEN);
  await peru.tryAgain();
  await peru.waitDone();
  expect(weightBytes(), 'what had come is not fetched again').toBeLessThan(
    (TASKS.length + 2) * MODEL_BYTES + before / 2,
  );
});

test('names the one repo of eight that is gone', async ({ peru }) => {
  hub.removeRepo(TASKS[4]!);
  await peru.open(linkTo());
  await expect(peru.alert).toContainText(TASKS[4]!);
  await expect(peru.startButton).toHaveCount(0);
});

test('names the shard that is missing', async ({ peru }) => {
  await peru.open(linkTo([SHARDED]));
  await expect(peru.alert).toContainText('model-00002-of-00002.safetensors');
});

test('cancels while it checks, waits, loads and merges, and starts again after each', async ({
  peru,
  page,
}) => {
  const cancel = page.getByRole('button', { name: 'Cancel' });
  hub.fault({ kind: 'slow', bytesPerSecond: 200, path: /api/, times: Infinity });
  await peru.open(linkTo());
  await cancel.click();
  await expect(peru.status).toHaveText(/^Cancelled/);
  hub.clearFaults();
  await page.getByRole('button', { name: 'Run again' }).click();
  await expect(peru.startButton).toBeEnabled();

  hub.fault({ ...SLOW, times: Infinity });
  await peru.start();
  await arrived(MODEL_BYTES);
  await cancel.click();
  await expect(peru.status).toHaveText(/^Cancelled/);
  await expectQuiet(hub);
  expect(weightBytes()).toBeLessThan((TASKS.length + 1) * MODEL_BYTES);
  hub.clearFaults();
  await page.getByRole('button', { name: 'Run again' }).click();
  await expect(peru.status).toHaveText(/select|merg|Load/i);
  await cancel.click();
  await expect(peru.status).toHaveText(/^Cancelled/);
  await page.getByRole('button', { name: 'Run again' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});

test('a GPU lost while weights are streamed is reported, and the job starts again', async ({
  peru,
  page,
  browser,
}) => {
  await peru.open(`${linkTo()}&engine=gpu&compress=peru-fft`);
  await peru.setBudgetGigabytes(0.04);
  await expect(page.getByText(/streamed/i).first()).toBeVisible();
  hub.fault({ ...SLOW, times: Infinity });
  await peru.start();
  await arrived(MODEL_BYTES / 4);
  const devtools = await browser.newBrowserCDPSession();
  await devtools.send('Browser.crashGpuProcess');
  await expect(peru.alert).toContainText(/GPU/);
  hub.clearFaults();
  await peru.tryAgain();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});
