/** One click from a preset to a scored table, on towers of true size with made-up weights. */
import { presetOf } from '../src/sources/presets';
import { expect, test } from './fixtures';
import { presetRepos } from './fixture-hub/preset-repos';
import { type FixtureHub, startFixtureHub } from './fixture-hub/start-fixture-hub';

const PRESET = presetOf('clip-vit-base-patch32')!;
/** Images a test set has here: the towers are true, and so slow on two cores. */
const ROWS = 4;
/** Test sets that stay; the others are gone, as repos on a Hub may be. */
const SCORED = /mnist/;
/** Tasks that stay: eight take two cores minutes, and the benchmark of scale has them. */
const KEPT = ['svhn', 'mnist', 'dtd'];
/** F16 towers of 87,456,000 numbers, and the base's text tower. */
const TOWER_BYTES = 2 * 87_456_000;
const TEXT_BYTES = 2 * 63_821_313;

let hub: FixtureHub;

test.beforeAll(async () => {
  const { repos, dataSets } = presetRepos(PRESET.id, { dtype: 'F16', rows: ROWS });
  hub = await startFixtureHub({ repos, dataSets: dataSets.filter(({ id }) => SCORED.test(id)) });
});

test.afterAll(() => hub.close());

test('the preset of ViT-B/32 goes from click to table', async ({ peru, page }) => {
  await peru.open(`?demo=fft&hub=${hub.hubUrl}`);
  await peru.unfoldSources();
  await page.getByRole('button', { name: 'Preset: CLIP ViT-B/32, eight tasks' }).click();
  await expect(peru.startButton).toBeEnabled();
  await peru.unfoldSources();
  await expect(peru.repos).toHaveCount(9);
  await expect(page.getByRole('heading', { name: /Merge 8 fine.tunes/ })).toBeVisible();
  for (const { name, ref } of PRESET.tasks) {
    if (KEPT.includes(name)) continue;
    await page.getByRole('button', { name: `Remove ${ref}` }).click();
  }
  await peru.openReposButton.click();
  await expect(page.getByRole('heading', { name: /Merge 3 fine.tunes/ })).toBeVisible();
  await expect(peru.startButton).toBeEnabled();
  hub.clearLog();
  await peru.start();
  await expect(peru.storageTable).toContainText('PERU-FFT (10 %)');
  await expect.poll(() => peru.percent('MNIST', /PERU-FFT/)).toBeGreaterThanOrEqual(0);
  const weights = hub.requests
    .filter(({ server }) => server === 'content')
    .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  expect(weights / ((1 + KEPT.length) * TOWER_BYTES + TEXT_BYTES)).toBeLessThan(1.02);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(peru.status).toHaveText(/^Cancelled: what was computed so far stays/);
});
