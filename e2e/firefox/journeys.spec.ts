/** Each runs twice: without WebGPU, as Firefox ships on Linux, and with it (playwright.config.ts). */
import { createHash } from 'node:crypto';
import { type KeyInput } from 'puppeteer-core';
import { f32Tensor, safetensorsFile } from '../fixtures';
import { type ResultsFile } from '../pages/peru-page';
import { expectTorchScores, TORCH_ROWS } from '../torch-tables';
import { type FirefoxPage } from './firefox-page';
import { expect, test } from './fixtures';

const keys = (key: KeyInput, presses: number) => Array<KeyInput>(presses).fill(key);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What Firefox gave the page to compute on, said once in the run's output and checked on the page. */
async function expectEngine(
  peru: FirefoxPage,
  { engine, adapter }: ResultsFile,
  webgpu: boolean,
): Promise<void> {
  const header = await peru.header();
  const version = await peru.page.browser().version();
  console.log(`${version}, ${engine}, ${JSON.stringify(adapter)}: ${header.split('\n').join(' ')}`);
  expect(engine).toBe(webgpu ? 'webgpu' : 'processor');
  if (!webgpu) expect(header).toMatch(/offers no WebGPU.*processor.*To use the GPU, /);
  else if (adapter['fallback'] === true) expect(header).toMatch(/merging on .*a software adapter/);
}

for (const { zoo, title } of TORCH_ROWS) {
  test.describe(title, () => {
    test.use({ zoo });

    test('full fine-tunes open by themselves and agree with torch; m moves by keyboard', async ({
      peru,
      webgpu,
    }) => {
      await peru.open();
      await peru.waitDone();
      const results = await peru.results();
      await expectEngine(peru, results, webgpu);
      expectTorchScores('fft', results, zoo);

      const fromTenToFive = [...keys('PageDown', 2), ...keys('ArrowLeft', 10)];
      expect(await peru.pressOnSlider('Kept entries m (%)', fromTenToFive)).toBe(5);
      await expect.poll(() => peru.link.get('m')).toBe('5');
      const average = 100 * results.average['peru-fft@5']!;
      await expect.poll(() => peru.average('PERU-FFT (5')).toBeCloseTo(average, 0);
      expect(peru.faults).toEqual([]);
      expect([...peru.requestedOrigins]).toEqual([new URL(peru.page.url()).origin]);
    });

    test('adapters agree with torch; the rank moves by keyboard', async ({ peru, webgpu }) => {
      await peru.open('?demo=lora&q=8');
      await peru.waitDone();
      const results = await peru.results();
      await expectEngine(peru, results, webgpu);
      expectTorchScores('lora', results, zoo);

      expect(await peru.pressOnSlider('Rank q', keys('ArrowLeft', 4))).toBe(4);
      await expect.poll(() => peru.link.get('q')).toBe('4');
      const average = 100 * results.average['peru-lora@4']!;
      await expect.poll(() => peru.average('PERU-LoRA (q = 4)')).toBeCloseTo(average, 0);
      expect(peru.faults).toEqual([]);
    });
  });
}

/** A folder of a base and two fine-tunes, by file name. */
function checkpoints(): ReadonlyMap<string, Uint8Array> {
  const model = (name: string, scale: number) =>
    safetensorsFile(`${name}.safetensors`, {
      'a.weight': f32Tensor([96, 64], (i) => Math.sin(i) + scale * Math.cos(3 * i)),
      'b.bias': f32Tensor([5], (i) => scale * i),
    });
  const files = [model('base', 0), model('one', 0.1), model('two', 0.2)];
  return new Map(files.map(({ name, buffer }) => [name, buffer]));
}

test('dropped checkpoints are exported, saved as a zip, and come back', async ({ peru }) => {
  await peru.open('?values=I8');
  await peru.drop(checkpoints());
  await expect.poll(() => peru.page.evaluate(() => document.body.innerText)).toMatch(/No accuracy/);
  await peru.waitDone();
  const files = await peru.export();
  const entries = await peru.downloadAll();
  expect([...entries].map(([path, bytes]) => [path, sha256(bytes)])).toEqual(
    files.map(({ path, sha256: listed }) => [path, listed]),
  );

  await peru.drop(entries);
  const weights = files.filter(({ path }) => path.endsWith('.safetensors'));
  // So small a group can be done again before anyone saw that it wasn't.
  const reopened = async () => {
    await peru.waitDone();
    const { storage } = await peru.results();
    return storage.find(({ method }) => method === 'finetuned')?.files.map(({ bytes }) => bytes);
  };
  await expect.poll(reopened).toEqual(weights.map(({ bytes }) => bytes));
  expect(peru.faults).toEqual([]);
});
