/** What a visitor learns before anything large moves, decides, and finds again afterwards. */
import AxeBuilder from '@axe-core/playwright';
import { expect, f32Tensor, safetensorsFile, test } from './fixtures';
import { memoryFile, repoOf } from './fixture-hub/content';
import { type FixtureHub, startFixtureHub } from './fixture-hub/start-fixture-hub';
import { syntheticFile } from './fixture-hub/synthetic';
import { type FixtureFile, type PeruPage } from './pages/peru-page';

/** 8.4 MB a model, 50 MB the group: with as much to load, more than what starts by itself. */
const TENSORS = [
  { name: 'layer.0.weight', shape: [1024, 1024] },
  { name: 'layer.1.weight', shape: [1024, 1024] },
  { name: 'norm.bias', shape: [1023] },
];
const ELEMENTS = 2 * 1024 * 1024 + 1023;
const TASKS = 5;
const REPOS = ['me/base', ...Array.from({ length: TASKS }, (_, i) => `me/task-${i + 1}`)];

let hub: FixtureHub;

test.beforeAll(async () => {
  hub = await startFixtureHub({
    repos: REPOS.map((id, task) => {
      const weights = syntheticFile({ tensors: TENSORS, dtype: 'F32', seed: 5, task });
      const card = `---\nlicense: ${task === 2 ? 'cc-by-nc-4.0' : 'mit'}\n---\n`;
      return repoOf(
        id,
        new Map([
          ['model.safetensors', weights],
          ['config.json', memoryFile('config.json', '{"model_type":"made-up"}')],
          ['README.md', memoryFile('README.md', card)],
        ]),
      );
    }),
  });
});

test.afterAll(() => hub.close());
test.beforeEach(() => {
  hub.clearLog();
});

async function openGroup(peru: PeruPage): Promise<void> {
  const [base, ...tasks] = REPOS;
  const query = [`base=${base!}`, ...tasks.map((task) => `task=${task}`), `hub=${hub.hubUrl}`];
  await peru.open(`?${query.join('&')}&merge=task-arithmetic&lambda=0.3&m=10`);
  await expect(peru.status).toHaveText('Ready to start');
}

function movedBytes(): number {
  return hub.requests
    .filter(({ server }) => server === 'content')
    .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
}

test('tells what it will cost from headers alone, and waits for Start', async ({ peru, page }) => {
  await openGroup(peru);
  await expect(page.getByRole('heading', { name: /Merge 5 fine.tunes of base/ })).toBeVisible();
  await expect(page.getByText('50.4 MB').first()).toBeVisible();
  await expect(page.getByRole('list', { name: 'To look at' })).toContainText('cc-by-nc-4.0');
  await expect(peru.storageTable).toHaveCount(0);
  expect(movedBytes(), 'headers alone').toBeLessThan(REPOS.length * 20_000);

  await peru.exclude('layer.1.*');
  await expect(page.getByRole('heading', { name: /2 tensors, 1\.05 M parameters/ })).toBeVisible();
  await peru.exclude('*');
  await expect(peru.alert).toContainText(/nothing|no tensor/i);
  await peru.exclude('');
  await expect(page.getByRole('heading', { name: /3 tensors, 2\.10 M parameters/ })).toBeVisible();
  expect(movedBytes(), 'planning anew reads nothing').toBeLessThan(REPOS.length * 20_000);

  await peru.start();
  await peru.waitDone();
  const moved = movedBytes() / (4 * ELEMENTS * REPOS.length);
  expect(moved).toBeGreaterThan(0.99);
  expect(moved).toBeLessThan(1.02);
  const { memory } = await peru.results();
  expect(memory.mode).toBe('resident');
  // The plan has room for laying out models, and nothing is scored here: 7 of 60 MB.
  expect(memory.peakBytes / memory.plannedBytes).toBeGreaterThan(0.8);
  expect(memory.peakBytes / memory.plannedBytes).toBeLessThan(1.01);
  await page.getByText('Checks, plan and measured memory').click();
  await expect(page.getByText(/of the plan/).first()).toBeVisible();
});

test('streams what does not fit the budget, with the same results', async ({ peru }) => {
  await openGroup(peru);
  await peru.start();
  await peru.waitDone();
  const resident = await peru.results();
  await openGroup(peru);
  await peru.setBudgetGigabytes(0.03);
  await expect(peru.page.getByText(/streamed/i).first()).toBeVisible();
  await peru.start();
  await peru.waitDone();
  const streamed = await peru.results();
  expect(streamed.memory.mode).toBe('streamed');
  expect(streamed.memory.plannedBytes).toBeLessThanOrEqual(0.03e9);
  // Pages are whole, and so large beside this budget that one more may not fit.
  const ofPlan = streamed.memory.peakBytes / streamed.memory.plannedBytes;
  expect(ofPlan).toBeGreaterThan(0.6);
  expect(ofPlan).toBeLessThanOrEqual(1);
  expect(streamed.storage).toEqual(resident.storage);
});

test('asks for more where not even streaming fits', async ({ peru, page }) => {
  await openGroup(peru);
  await peru.setBudgetGigabytes(0.004);
  await expect(page.getByText(/need .* of memory|more memory|budget/i).first()).toBeVisible();
  await expect(peru.startButton).toBeDisabled();
});

/** A folder of models that differ as people's models do. */
function differing(): FixtureFile[] {
  const body = (prefix: string, scale: number) => ({
    [`${prefix}embed.weight`]: f32Tensor([40, 16], (i) => scale * Math.sin(i)),
    [`${prefix}layer.0.weight`]: f32Tensor([64, 16], (i) => scale * Math.cos(i)),
    [`${prefix}layer.1.weight`]: f32Tensor([16, 64], (i) => scale * Math.sin(2 * i)),
  });
  const head = (classes: number) => ({
    'classifier.weight': f32Tensor([classes, 16], (i) => Math.sin(i)),
  });
  const model = (name: string, tensors: Parameters<typeof safetensorsFile>[1]) =>
    safetensorsFile(`${name}/model.safetensors`, tensors);
  return [
    model('base', body('', 1)),
    model('three-classes', { ...body('', 1.1), ...head(3) }),
    model('prefixed', { ...body('model.', 1.2), ...head(7) }),
  ];
}

test('merges models with heads and prefixes of their own, and names both', async ({
  peru,
  page,
}) => {
  await peru.open('?demo=fft');
  await peru.addFolder(differing());
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await page.getByText('Checks, plan and measured memory').click();
  await expect(page.getByText(/classifier\.weight/).first()).toBeAttached();
  await expect(page.getByText(/model\./).first()).toBeAttached();
  const { storage } = await peru.results();
  const sparse = storage.find(({ method }) => method === 'peru-fft@10')!;
  expect(sparse.files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['three-classes.sparse.safetensors', 'prefixed.sparse.safetensors']),
  );
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 1280]) {
    test(`axe finds nothing in the report at ${width} px, ${colorScheme}`, async ({
      peru,
      page,
    }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await openGroup(peru);
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, 'the page itself never scrolls sideways').toBeLessThanOrEqual(0);
    });
  }
}
