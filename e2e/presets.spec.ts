/** One click from a preset to a scored table, on towers of true widths with made-up weights. */
import { type Page } from '@playwright/test';
import { presetOf } from '../src/sources/presets';
import { expect, test } from './fixtures';
import { clipTensors } from './fixture-hub/clip-repo';
import { presetRepos } from './fixture-hub/preset-repos';
import { type FixtureHub, startFixtureHub } from './fixture-hub/start-fixture-hub';
import { type PeruPage } from './pages/peru-page';

const PRESET = presetOf('clip-vit-base-patch32')!;
/** Images a test set has here: the towers are wide, and so slow on two cores. */
const ROWS = 4;
/** Test sets that stay; the others are gone, as repos on a Hub may be. */
const SCORED = /mnist/;
/** Tasks that stay: eight take two cores minutes, and the benchmark of scale has them. */
const KEPT = ['svhn', 'mnist', 'dtd'];
/** One layer of each tower, and, in `npm run test:full`, all twelve. */
const SIZES = [
  { title: 'the preset of ViT-B/32 goes from click to table', layers: 1 },
  { title: 'the preset of ViT-B/32 at its true size', tag: '@full', layers: 12 },
];

function weightBytes(layers: number, parts: 'all' | 'vision'): number {
  const shapes = clipTensors('vit-base-patch32', parts, layers).map(({ shape }) => shape);
  return shapes.reduce((sum, shape) => sum + 2 * shape.reduce((product, d) => product * d, 1), 0);
}

for (const { title, layers, ...rest } of SIZES) {
  test(title, rest, async ({ peru, page }) => {
    const { repos, dataSets } = presetRepos(PRESET.id, { dtype: 'F16', rows: ROWS, layers });
    const scored = dataSets.filter(({ id }) => SCORED.test(id));
    const hub = await startFixtureHub({ repos, dataSets: scored });
    try {
      await fromClickToTable(peru, page, hub);
      const weights = hub.requests
        .filter(({ server }) => server === 'content')
        .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
      const needed = weightBytes(layers, 'all') + KEPT.length * weightBytes(layers, 'vision');
      expect(weights / needed).toBeLessThan(1.02);
      if (layers === 1) {
        await peru.waitDone();
        return;
      }
      await page.getByRole('button', { name: 'Cancel' }).click();
      await expect(peru.status).toHaveText(/^Cancelled: what was computed so far stays/);
    } finally {
      await hub.close();
    }
  });
}

async function fromClickToTable(peru: PeruPage, page: Page, hub: FixtureHub): Promise<void> {
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
}
