/** The page looks the same on every machine: nothing of it is drawn in a machine's own fonts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Page } from '@playwright/test';
import { expect, test } from './fixtures';

// Each face is fetched once by the browser's own cache, which stands still where requests are altered.
test.use({ zoo: 'whole' });

/** Families of the machine's that the elements are drawn in, with one such element each. */
async function machineFonts(page: Page, selector: string): Promise<readonly string[]> {
  await page.evaluate(() => document.fonts.ready);
  // A copy of what is shown: the page itself goes on changing.
  await page.evaluate(() => {
    document.body.replaceWith(document.body.cloneNode(true));
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('DOM.enable');
  await devtools.send('CSS.enable');
  const { root } = await devtools.send('DOM.getDocument');
  const { nodeIds } = await devtools.send('DOM.querySelectorAll', {
    nodeId: root.nodeId,
    selector,
  });
  const found = new Map<string, string>();
  for (const nodeId of nodeIds) {
    const { fonts } = await devtools.send('CSS.getPlatformFontsForNode', { nodeId });
    for (const { familyName, isCustomFont } of fonts) {
      if (isCustomFont || found.has(familyName)) continue;
      const { outerHTML } = await devtools.send('DOM.getOuterHTML', { nodeId });
      found.set(familyName, outerHTML.slice(0, 200));
    }
  }
  expect(nodeIds.length).toBeGreaterThan(0);
  return [...found].map(([family, element]) => `${family}: ${element}`);
}

for (const demo of ['fft', 'lora'] as const) {
  test(`sets all of ${demo} in the page's own faces, each fetched once`, async ({ peru, page }) => {
    const fetched: string[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('.woff2')) fetched.push(`${response.status()} ${response.url()}`);
    });
    await peru.open(`?demo=${demo}`);
    await expect(peru.accuracyTable).toContainText('%');
    if (demo === 'lora') await expect(peru.spectraMap).toBeVisible();
    await page.getByRole('button', { name: 'More sources' }).click();
    for (const summary of await page.locator('summary').filter({ visible: true }).all()) {
      await summary.click();
    }
    // The file input is never seen: buttons stand for it.
    expect(await machineFonts(page, 'body, body :not(input[type=file])')).toEqual([]);
    const preloaded = await page
      .locator('link[rel=preload][as=font]')
      .evaluateAll((links) => links.map((link) => (link as HTMLLinkElement).href));
    expect(fetched.sort()).toEqual(preloaded.map((url) => `200 ${url}`).sort());
    expect(peru.faults).toEqual([]);
  });
}

test('has a glyph for every character of the page’s own texts', async ({ peru, page }) => {
  await peru.open();
  const characters = [...new Set(sourceTexts().join(''))].filter((one) => one > '~').join(' ');
  expect(characters, 'the search finds what the page is known to show').toMatch(/θ.*’|’.*θ/);
  await page.evaluate((text) => {
    for (const family of ['text', 'display']) {
      const line = document.createElement('p');
      line.className = 'all-characters';
      line.style.fontFamily = `var(--font-${family})`;
      line.textContent = text;
      document.body.append(line);
    }
  }, characters);
  expect(await machineFonts(page, '.all-characters')).toEqual([]);
});

/** All that may reach the page: sources without comments, tests, and the writers of files. */
function sourceTexts(): readonly string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.|\.fixture\.|golden|test-/.test(path))
    .filter((path) => !path.startsWith('export/'))
    .map((path) => readFileSync(join('src', path), 'utf8'))
    .map((source) => source.replace(/\/\*[^]*?\*\/|\/\/.*/g, ''));
}
