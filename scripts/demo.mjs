// npm run demo: the main job headless on the embedded zoo; prints a table a demo, `--json FILE`.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatDemo } from './demo-tables.mjs';
import { build, ensureChromium, ensurePackages, main } from './setup.mjs';

/** The demos the page offers, by the value of ?demo=. */
const DEMOS = ['fft', 'lora'];
/** Methods whose every score must stand before a demo counts as computed. */
const MODELS = ['pretrained', 'finetuned', 'merged'];
const METHODS = {
  fft: [...MODELS, ...[1, 5, 10].flatMap((m) => [`post-pruning@${m}`, `peru-fft@${m}`])],
  lora: [...MODELS, ...[16, 8, 4].map((q) => `peru-lora@${q}`)],
};
const JOB_TIMEOUT_MS = 10 * 60_000;

await main(async () => {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  ensurePackages();
  const executablePath = ensureChromium();
  build();
  const { chromium } = await import('playwright');
  const { servePage } = await import('./serve.mjs');
  const { CHROMIUM_FLAGS } = await import('./chromium.mjs');
  const page = await servePage({ port: 0 });
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  try {
    const results = [];
    for (const demo of DEMOS) {
      const result = await runDemo(browser, `${page.address}?demo=${demo}`);
      assertComplete(demo, result);
      console.log(formatDemo(demo, result));
      results.push(result);
    }
    if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  } finally {
    await browser.close();
    await page.close();
  }
});

/** Opens the page as a visitor would, waits for its last number and takes its results file. */
async function runDemo(browser, url) {
  const tab = await browser.newPage();
  await tab.goto(url);
  const done = tab.getByRole('status').filter({ hasText: /^Done/ });
  const failed = tab.getByRole('alert').first();
  await done.or(failed).first().waitFor({ timeout: JOB_TIMEOUT_MS });
  if (await failed.isVisible()) throw new Error(`The page reported: ${await failed.innerText()}`);
  const download = tab.waitForEvent('download');
  await tab.getByRole('button', { name: 'Download results' }).click();
  const result = JSON.parse(readFileSync(await (await download).path(), 'utf8'));
  await tab.close();
  return result;
}

/** Exit 0 only when every number was computed. */
function assertComplete(demo, result) {
  const methods = METHODS[demo];
  if (result.tasks.length === 0) throw new Error(`Demo ${demo}: no task was scored.`);
  for (const task of result.tasks) {
    for (const method of methods) {
      if (!Number.isFinite(task.scores[method])) {
        throw new Error(`Demo ${demo}: ${method} has no score on ${task.name}.`);
      }
    }
  }
  for (const method of methods) {
    if (!Number.isFinite(result.average[method])) {
      throw new Error(`Demo ${demo}: ${method} has no average.`);
    }
    if (!result.storage.some((row) => row.method === method)) {
      throw new Error(`Demo ${demo}: ${method} has no bytes.`);
    }
  }
}
