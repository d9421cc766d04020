/** Exports of small groups from disk: names, cancelling, and uploads to the fixture Hub. */
import { createHash } from 'node:crypto';
import AxeBuilder from '@axe-core/playwright';
import { startFixtureHub, type FixtureHub } from './fixture-hub/start-fixture-hub';
import { binaryFile, expect, f32Tensor, safetensorsFile, test } from './fixtures';
import { APP, buildForApp } from './oauth-app';
import { type FixtureFile, type PeruPage } from './pages/peru-page';

const WRITER = 'hf_writerwriterwriter';
const READER = 'hf_readerreaderreader';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function model(name: string, scale: number, rows = 8): FixtureFile {
  return safetensorsFile(`${name}.safetensors`, {
    'a.weight': f32Tensor([rows, 64], (i) => Math.sin(i) + scale * Math.cos(3 * i)),
    'b.bias': f32Tensor([5], (i) => scale * i),
  });
}

const SMALL = [model('base', 0), model('one', 0.1), model('two', 0.2)];

async function openFiles(peru: PeruPage, files: FixtureFile[], query = ''): Promise<void> {
  await peru.open(query);
  await peru.addFiles(files);
  await expect(peru.page.getByText(/^No accuracy here/)).toBeVisible();
  await peru.waitDone();
}

test('task names of any script and kind become files that do not collide, and come back', async ({
  peru,
}) => {
  const names = ['tâche ü', 'a b', 'a-b', 'A-B', '問題', 'merged', 'con'];
  const tasks = names.map((name, i) => model(name, 0.1 * (i + 1)));
  await openFiles(peru, [model('base', 0), ...tasks]);
  const files = await peru.export();
  const sparse = files
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.sparse.safetensors'));
  expect(sparse).toHaveLength(names.length);
  expect(new Set(sparse.map((path) => path.normalize('NFC').toLowerCase())).size).toBe(
    names.length,
  );
  expect(sparse.join('\n')).toMatch(/^tâche-ü\.sparse/m);
  expect(sparse.join('\n')).toMatch(/^問題\.sparse/m);
  const entries = await peru.downloadAll();
  expect([...entries].map(([path, bytes]) => [path, sha256(bytes)])).toEqual(
    files.map(({ path, sha256: listed }) => [path, listed]),
  );
  const before = await peru.results();

  await peru.page.reload();
  await peru.open();
  await peru.addFolder([...entries].map(([path, bytes]) => binaryFile(path, bytes)));
  await expect(peru.page.getByText(/^No accuracy here/)).toBeVisible();
  await peru.waitDone();
  const after = await peru.results();
  const count = (results: typeof after, name: string) =>
    results.storage.find(({ method }) => method === name)?.files.length;
  expect(count(after, 'peru-fft@10'), 'every task is back').toBe(count(before, 'peru-fft@10'));
  expect(count(before, 'finetuned')).toBe(names.length);
  expect(count(after, 'finetuned'), 'none serves without the merged model').toBe(names.length + 1);
  expect(peru.faults).toEqual([]);
});

test('dtypes of the recipe are those of the files, and of the link', async ({ peru, page }) => {
  await openFiles(peru, SMALL, '?values=I8');
  await expect(page.getByRole('combobox', { name: 'Dtype of kept values' })).toHaveValue('I8');
  await expect(page.getByRole('combobox', { name: 'Norm of kept values' })).toHaveValue('norm');
  await page.getByRole('combobox', { name: 'Merged dtype' }).selectOption('BF16');
  const link = () => new URL(page.url()).searchParams;
  await expect.poll(() => [link().get('values'), link().get('dtype')]).toEqual(['I8', 'BF16']);
  await peru.waitDone();
  const { storage } = await peru.results();
  await peru.export();
  const entries = await peru.downloadAll();
  const header = (path: string) => {
    const bytes = entries.get(path)!;
    const length = Number(bytes.readBigUInt64LE(0));
    return JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
      string,
      { dtype: string }
    >;
  };
  expect(header('merged.safetensors')['a.weight']?.dtype).toBe('BF16');
  expect(header('one.sparse.safetensors')['a.weight.values']?.dtype).toBe('I8');
  expect(header('one.sparse.safetensors')['a.weight.scale']?.dtype).toBe('F32');
  const listed = storage.find(({ method }) => method === 'peru-fft@10')!.files;
  for (const { name, bytes } of listed) expect(entries.get(name)?.length, name).toBe(bytes);
});

test('a cancelled export leaves nothing, and the next one is whole', async ({ peru }) => {
  // Large enough to be caught in the middle: 6 MB a checkpoint.
  const rows = 24_576;
  await openFiles(peru, [model('base', 0, rows), model('one', 0.1, rows), model('two', 0.2, rows)]);
  await peru.exportButton.click();
  await peru.page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(peru.status).toHaveText('Cancelled: nothing half-written is left');
  await expect.poll(() => peru.storedExports()).toEqual([]);
  await expect(peru.exportedFiles).toHaveCount(0);
  await expect(peru.alert).toHaveCount(0);
  const files = await peru.export();
  const merged = await peru.downloadFile('merged.safetensors');
  expect(merged.name).toBe('merged.safetensors');
  expect(sha256(merged.bytes)).toBe(files.find(({ path }) => path === merged.name)?.sha256);
  expect(peru.faults).toEqual([]);
});

test.describe('to the Hub', () => {
  let hub: FixtureHub;

  test.beforeAll(async () => {
    hub = await startFixtureHub({
      repos: [],
      tokens: { [WRITER]: [], [READER]: [] },
      writers: { [WRITER]: ['tester'] },
      app: { ...APP, user: 'ada', repos: [] },
    });
  });

  test.afterEach(() => {
    hub.clearFaults();
    hub.clearLog();
  });

  test.afterAll(() => hub.close());

  /** How often the upload's own requests came, of those that change something. */
  const written = () => hub.requests.filter(({ method }) => method === 'POST').length;

  test('an export goes only when it is told to, private, and can be opened from there', async ({
    peru,
    page,
  }) => {
    await openFiles(peru, SMALL, `?hub=${hub.hubUrl}`);
    const files = await peru.export();
    await peru.fillUpload('tester/merged', WRITER);
    await expect(page.getByRole('checkbox', { name: /^Private/ })).toBeChecked();
    const listed = peru.uploadDialog.getByRole('list', { name: 'Files to upload' });
    await expect(listed.getByRole('listitem')).toHaveCount(files.length);
    expect(written()).toBe(0);
    const seen = await new AxeBuilder({ page }).analyze();
    expect(seen.violations).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(peru.uploadDialog).toHaveCount(0);
    expect(written()).toBe(0);

    await peru.upload('tester/merged', WRITER);
    await expect(peru.status).toHaveText(/^Done .* uploaded$/);
    const link = peru.exportPanel.getByRole('link', { name: /^tester\/merged, commit / });
    await expect(link).toHaveAttribute('href', new RegExp(`^${hub.hubUrl}/tester/merged/`));
    const creation = hub.requests.find(({ path }) => path.includes('/repos/create'));
    expect(creation?.authorization).toBe(`Bearer ${WRITER}`);

    await peru.openRepos('tester/merged');
    await expect(peru.status).not.toHaveText(/^Done/);
    if (await peru.startButton.isVisible()) await peru.start();
    await peru.waitDone();
    await expect(peru.alert).toHaveCount(0);
    await expect(peru.storageTable).toContainText('PERU-FFT');
  });

  test('who signed in to read is asked again before the page may write', async ({ peru, page }) => {
    await buildForApp(page);
    await openFiles(peru, SMALL, `?hub=${hub.hubUrl}`);
    await peru.unfoldSources();
    await page.getByRole('button', { name: /^Sign in with/ }).click();
    await expect(page.getByText('Signed in as ada')).toBeVisible();
    await peru.export();
    await page.getByRole('button', { name: 'Upload to the Hub…' }).click();
    await expect(peru.uploadDialog).toContainText('for reading only so far');
    await peru.uploadDialog.getByRole('button', { name: 'Allow uploads' }).click();
    await peru.uploadDialog.getByRole('textbox', { name: /^Repo to make/ }).fill('ada/merged');
    await peru.uploadDialog.getByRole('button', { name: 'files to ada/merged' }).click();
    await expect(peru.status).toHaveText(/^Done .* uploaded$/);
    const asked = hub.requests
      .filter(({ path }) => path.startsWith('/oauth/authorize'))
      .map(({ path }) =>
        new URL(path, hub.hubUrl).searchParams.get('scope')?.includes('contribute'),
      );
    expect(asked).toEqual([false, true]);
    const creation = hub.requests.find(({ path }) => path.includes('/repos/create'));
    expect(creation?.authorization).toMatch(/^Bearer hf_oauth_/);
  });

  test('each refusal says why, and the files stay', async ({ peru }) => {
    await openFiles(peru, SMALL, `?hub=${hub.hubUrl}`);
    const files = await peru.export();
    await peru.upload('tester/refused', 'hf_nobody');
    await expect(peru.alert).toContainText(/did not accept the access token/);
    await peru.upload('tester/refused', READER);
    await expect(peru.alert).toContainText(/may not write there/);
    for (const [status, says] of [
      [409, /someone else committed/],
      [413, /larger than/],
    ] as const) {
      hub.fault({ kind: 'status', status, path: /\/commit\//, server: 'hub' });
      await peru.upload('tester/refused', WRITER);
      await expect(peru.alert).toContainText(says);
      await expect(peru.status).toHaveText('Stopped by an error');
    }
    expect(await peru.listedFiles()).toEqual(files);
    await peru.upload('tester/refused', WRITER);
    await expect(peru.status).toHaveText(/^Done .* uploaded$/);
    await expect(peru.alert).toHaveCount(0);
  });
});
