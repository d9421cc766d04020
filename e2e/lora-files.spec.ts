import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures';

const GOLDEN = 'src/formats/lora-file/golden';

function goldenFile(folder: string, name: string) {
  const buffer = readFileSync(`${GOLDEN}/${folder}/${name}`);
  return { name, mimeType: 'application/octet-stream', buffer };
}

test('the demo opens without a base: three spellings, cut while dragging, written again', async ({
  peru,
  page,
}) => {
  await peru.open('?demo=loras');
  await peru.waitDone();
  const table = page.getByRole('table', { name: 'LoRA files' });
  await expect(table.getByRole('row')).toHaveCount(4);
  await expect(table).toContainText('kohya (sd-scripts, ComfyUI)');
  await expect(page.getByRole('heading', { name: /^Three LoRA files, 1\.09/ })).toContainText(
    'at rank 8 they keep at least',
  );
  const before = await table.innerText();
  await peru.rankSlider.focus();
  for (let press = 0; press < 4; press++) await page.keyboard.press('ArrowLeft');
  await expect(peru.rankField).toHaveValue('4');
  expect(await table.innerText()).not.toBe(before);
  await peru.waitDone();
  const results = await peru.results();
  expect(Object.keys(results.recipe).sort()).toEqual(['lora', 'rank']);
  expect(results.tasks).toEqual([]);

  await peru.export();
  const files = await peru.downloadAll();
  expect([...files.keys()].sort()).toEqual([
    'README.md',
    'digits.safetensors',
    'recipe.json',
    'results.json',
    'scenes/adapter_config.json',
    'scenes/adapter_model.safetensors',
    'textures.safetensors',
  ]);
  const row = results.storage.find(({ method }) => method === 'peru-lora@4')!;
  const sizes = new Map(row.files.map(({ name, bytes }) => [name, bytes]));
  for (const [path, bytes] of files) {
    if (/safetensors$|config\.json$/.test(path)) expect(sizes.get(path), path).toBe(bytes.length);
  }
  expect(peru.faults).toEqual([]);
  expect([...peru.requestedOrigins]).toEqual([new URL(page.url()).origin]);
});

test('files add up to one by weights, and a link carries that', async ({ peru, page }) => {
  await peru.open('?demo=loras&q=4&make=one&weight=scenes:-0.5');
  await peru.waitDone();
  await expect(page.getByRole('combobox', { name: 'Make' })).toHaveValue('one');
  await expect(page.getByRole('spinbutton', { name: 'Weight of scenes' })).toHaveValue('-0.5');
  const table = page.getByRole('table', { name: 'LoRA files' });
  await expect(table.getByRole('row').last()).toContainText('All as one');
  await expect(page.getByRole('table', { name: 'Overlap' })).toContainText('digits');
  const kept = await table.getByRole('row').last().innerText();

  const weight = page.getByRole('slider', { name: 'Weight of digits' });
  await weight.focus();
  for (let press = 0; press < 10; press++) await page.keyboard.press('ArrowLeft');
  await peru.waitDone();
  await expect(table.getByRole('row').last()).not.toHaveText(kept);
  const { searchParams } = new URL(page.url());
  expect(searchParams.getAll('weight').sort()).toEqual(['digits:0.5', 'scenes:-0.5']);

  await peru.export();
  const files = await peru.downloadAll();
  expect([...files.keys()]).toContain('combined.safetensors');
  // The recipe by itself opens the same again.
  await peru.open('?demo=lora');
  await peru.addFiles([
    { name: 'recipe.json', mimeType: 'application/json', buffer: files.get('recipe.json')! },
  ]);
  await expect(page.getByRole('spinbutton', { name: 'Weight of digits' })).toHaveValue('0.5');
  await peru.waitDone();
  await expect(table.getByRole('row').last()).toContainText('All as one');
  expect(peru.faults).toEqual([]);
});

test('files of other programs open as they are dropped, whatever spells them', async ({
  peru,
  page,
}) => {
  await peru.open();
  await peru.addFiles([
    goldenFile('kohya-sdxl', 'tiny-xl.safetensors'),
    goldenFile('kohya-tucker', 'locon.safetensors'),
    goldenFile('comfy', 'style.safetensors'),
    goldenFile('diffusers-transformer', 'pytorch_lora_weights.safetensors'),
  ]);
  // Nothing of them meets: the report says so and waits.
  await expect(page.getByText(/No module of .* is in another file/)).toBeVisible();
  await page.getByRole('button', { name: 'Start' }).click();
  await peru.waitDone();
  await expect(page.getByRole('table', { name: 'LoRA files' }).getByRole('row')).toHaveCount(5);
  await page.getByRole('combobox', { name: 'Make' }).selectOption('one');
  await expect(peru.alert).toContainText('can not be added up');
  await page.getByRole('combobox', { name: 'Make' }).selectOption('each');
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});
