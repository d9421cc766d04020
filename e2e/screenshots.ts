/** Takes the pictures of the README, in docs/. */
import { type Locator } from '@playwright/test';
import { presetRepos } from './fixture-hub/preset-repos';
import { startFixtureHub } from './fixture-hub/start-fixture-hub';
import { expect, test } from './fixtures';

test.use({ zoo: 'whole' });

const WIDTH = 1280;
/** Pixels left around what is shown. */
const AIR = 40;

/** From the top left of one part, or of the page, to the end of another; the page's whole width. */
async function take(name: string, from: Locator | null, to: Locator): Promise<void> {
  const page = to.page();
  await page.evaluate(() => document.fonts.ready);
  const first = await from?.boundingBox();
  const last = await to.boundingBox();
  if (!last) throw new Error(`${name}: the part to end with is not on the page.`);
  const x = first ? Math.floor(first.x - AIR) : 0;
  const y = first ? Math.floor(first.y - AIR) : 0;
  const height = Math.ceil(last.y + last.height + AIR) - y;
  await page.screenshot({
    path: `docs/${name}.png`,
    clip: { x, y, width: WIDTH - x, height },
    fullPage: true,
  });
}

test('screenshot and screenshot-export', async ({ peru, page }) => {
  const part = (name: string): Locator => page.getByRole('region', { name, exact: true });
  await peru.open('?demo=fft');
  await peru.waitDone();
  await take('screenshot', null, part('Accuracy against bytes'));
  await peru.export();
  await take('screenshot-export', part('Export'), part('Export'));
});

test('screenshot-loras', async ({ peru, page }) => {
  await peru.open('?demo=loras&q=4');
  await peru.waitDone();
  await take(
    'screenshot-loras',
    null,
    page.getByRole('region', { name: 'LoRA files', exact: true }),
  );
});

test('screenshot-lora', async ({ peru, page }) => {
  await peru.open('?demo=lora&q=4');
  await peru.waitDone();
  await take('screenshot-lora', null, page.getByRole('region', { name: /^Singular values/ }));
});

test('screenshot-report', async ({ peru, page }) => {
  const hub = await startFixtureHub(presetRepos('clip-vit-base-patch32', { dtype: 'F32' }));
  try {
    await peru.open(`?demo=fft&hub=${hub.hubUrl}`);
    await peru.unfoldSources();
    await page.getByRole('button', { name: 'Preset: CLIP ViT-B/32, eight tasks' }).click();
    await expect(peru.startButton).toBeEnabled();
    const story = page.getByRole('heading', { name: /Merge 8 fine.tunes/ });
    await expect(story).toBeVisible();
    const recipe = page.getByRole('region', { name: 'Recipe' });
    await take('screenshot-report', recipe, page.getByRole('table', { name: 'Checkpoints' }));
  } finally {
    await hub.close();
  }
});
