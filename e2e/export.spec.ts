import { type Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { expectGolden } from './expect-golden';
import { goldenFiles } from './golden-files';
import { binaryFile, expect, test } from './fixtures';
import { type FixtureFile, type ListedFile } from './pages/peru-page';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The entries of a zip as a folder that a visitor adds. */
function asFolder(entries: ReadonlyMap<string, Buffer>): FixtureFile[] {
  return [...entries].map(([path, bytes]) => binaryFile(path, bytes));
}

/** What is byte for byte the same each time: all but the seconds that results.json tells. */
function lasting(files: readonly ListedFile[]): readonly ListedFile[] {
  return files.filter(({ path }) => path !== 'results.json');
}

function bytesOf(files: readonly ListedFile[], pattern: RegExp): number {
  const some = files.filter(({ path }) => pattern.test(path));
  return some.reduce((sum, { bytes }) => sum + bytes, 0);
}

// As the golden files are.
test.use({ zoo: 'two-tasks' });

test('full fine-tunes leave as listed, twice the same, and come back with the same accuracy', async ({
  peru,
  page,
}) => {
  await peru.open('?demo=fft&m=5&engine=gpu');
  await peru.waitDone();
  const results = await peru.results();
  const files = await peru.export();
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['README.md', 'recipe.json', 'results.json', 'merged.safetensors']),
  );
  for (const { name } of results.tasks) {
    expect(files.map(({ path }) => path)).toContain(`${name}.sparse.safetensors`);
  }
  const stored = (method: string) => results.storage.find((row) => row.method === method)?.bytes;
  const merged = bytesOf(files, /^merged.*\.safetensors$|^model\.safetensors\.index\.json$/);
  expect(merged).toBe(stored('merged'));
  expect(merged + bytesOf(files, /\.sparse\.safetensors$/)).toBe(stored('peru-fft@5'));
  await expect(peru.exportPanel).toContainText(/than so many scattered at random would at least/);

  const entries = await peru.downloadAll();
  expectGolden('fft-m5', entries);
  const inZip = [...entries].map(([path, bytes]) => ({
    path,
    bytes: bytes.length,
    sha256: sha256(bytes),
  }));
  expect(inZip).toEqual(files);
  const one = await peru.downloadFile('recipe.json');
  expect([one.name, sha256(one.bytes)]).toEqual([
    'recipe.json',
    sha256(entries.get('recipe.json')!),
  ]);
  expect(lasting(await peru.export())).toEqual(lasting(files));
  expect(await peru.storedExports(), 'the browser may still save the zip').toHaveLength(3);
  await peru.export();
  await expect.poll(async () => (await peru.storedExports()).length).toBe(1);

  const [merely, kept] = [await peru.column(/^Merged/), await peru.column(/^PERU-FFT/)];
  expect(kept.at(-1)).toMatch(/% n 1,024$/);
  await peru.addFolder(asFolder(entries));
  await expect(peru.status).not.toHaveText(/^Done/);
  // Scores of the whole split, and none of them in the sample that comes first.
  await expect.poll(() => peru.column(/^Fine-tuned/)).toEqual(kept);
  expect(await peru.column(/^Pretrained/)).toEqual(merely);

  await page.reload();
  await peru.open('?demo=lora');
  await peru.addFiles([binaryFile('recipe.json', entries.get('recipe.json')!)]);
  await expect(peru.keptField).toHaveValue('5');
  await expect.poll(() => new URL(page.url()).searchParams.get('demo')).toBe('fft');
  expect(peru.faults).toEqual([]);
});

test('the processor writes the weights that a GPU writes, bit for bit', async ({ peru }) => {
  await peru.open('?demo=fft&m=5&engine=processor');
  await peru.waitDone();
  await peru.export();
  const weights = [...(await peru.downloadAll())].filter(([path]) => /\.safetensors$/.test(path));
  const golden = goldenFiles('fft-m5');
  expect(weights).toHaveLength(
    [...golden.keys()].filter((path) => /\.safetensors$/.test(path)).length,
  );
  for (const [path, bytes] of weights) expect(bytes.equals(golden.get(path)!), path).toBe(true);
});

test('adapters leave as PEFT folders and come back with the same accuracy', async ({ peru }) => {
  // Singular vectors differ in their last bits between engines; the golden ones are the GPU's.
  await peru.open('?demo=lora&q=4&engine=gpu');
  await peru.waitDone();
  const results = await peru.results();
  const files = await peru.export();
  const stored = results.storage.find(({ method }) => method === 'peru-lora@4')!;
  for (const { name, bytes } of stored.files.filter(({ name: path }) => path.includes('/'))) {
    expect(files.find(({ path }) => path === name)?.bytes, name).toBe(bytes);
  }
  const [first] = results.tasks;
  const weights = await peru.downloadFile(`${first!.name}/adapter_model.safetensors`);
  expect(weights.name).toBe(`${first!.name}-adapter_model.safetensors`);

  const kept = await peru.column(/^PERU-LoRA/);
  const entries = await peru.downloadAll();
  expectGolden('lora-q4', entries);
  await peru.addFolder(asFolder(entries));
  await expect(peru.status).not.toHaveText(/^Done/);
  await expect.poll(() => peru.column(/^Single-task LoRA/)).toEqual(kept);
  expect(peru.faults).toEqual([]);
});
