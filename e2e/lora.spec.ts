import { expect, test } from './fixtures';
import { expectTorchScores, TORCH_ROWS } from './torch-tables';

for (const { zoo, title } of TORCH_ROWS) {
  test.describe(title, () => {
    test.use({ zoo });

    test('opens the adapters and agrees with torch to one row', async ({ peru, page }) => {
      await peru.open('?demo=lora&engine=gpu');
      await expect(peru.rankSlider).toBeVisible();
      await peru.waitDone();
      const results = await peru.results();

      expect(results.engine).toBe('webgpu');
      expectTorchScores('lora', results, zoo);
      expect(Object.keys(results.recipe)).toContain('rank');
      // A header row, eight tasks, the average.
      await expect(peru.accuracyTable.getByRole('row')).toHaveCount(10);
      await expect(peru.accuracyTable.getByRole('rowheader').last()).toHaveText('Average');
      await expect(peru.accuracyTable.getByText(/Spearman/)).toHaveCount(1);
      expect(peru.faults).toEqual([]);
      expect([...peru.requestedOrigins]).toEqual([new URL(page.url()).origin]);
    });
  });
}

test('all triplets give each adapter back; fewer change bytes at once, accuracy on release', async ({
  peru,
}) => {
  await peru.open('?demo=lora&q=16');
  await peru.waitDone();
  const whole = await peru.results();
  for (const { name, scores } of whole.tasks) {
    expect(scores['peru-lora@16'], name).toBe(scores['finetuned']);
  }
  const average = await peru.percent('Average', /PERU-LoRA \(q = 16\)/);
  expect(average).toBe(await peru.percent('Average', /Single-task LoRA/));

  const before = await peru.keptTriplets.innerText();
  await peru.rankSlider.focus();
  for (let press = 0; press < 12; press++) await peru.page.keyboard.press('ArrowLeft');
  await expect(peru.rankField).toHaveValue('4');
  expect(await peru.keptTriplets.innerText()).not.toBe(before);
  expect(new URL(peru.page.url()).searchParams.get('q')).toBe('4');
  await peru.waitDone();

  const cut = await peru.results();
  const bytesOf = (method: string) => cut.storage.find((row) => row.method === method)!.bytes;
  expect(bytesOf('peru-lora@4')).toBeLessThan(bytesOf('peru-lora@16'));
  const shown = await peru.percent('Average', /PERU-LoRA \(q = 4\)/);
  expect(shown).toBeCloseTo(100 * cut.average['peru-lora@4']!, 0);
});

test('ranks follow a kept energy, or a byte budget, and the link carries either', async ({
  peru,
  page,
}) => {
  await peru.open('?demo=lora&rank=energy&energy=90');
  await expect(peru.rankMode).toHaveValue('energy');
  await expect(page.getByRole('slider', { name: 'Kept energy (%)' })).toHaveValue('90');
  await peru.waitDone();
  const byEnergy = await peru.results();
  expect(byEnergy.average['peru-lora@energy=90']).toBeDefined();

  const before = await peru.keptTriplets.innerText();
  await peru.rankMode.selectOption('bytes');
  await expect(peru.keptTriplets).not.toHaveText(before);
  await expect(page.getByRole('slider', { name: /^Byte budget/ })).toBeVisible();
  const link = new URL(page.url()).searchParams;
  expect([link.get('rank'), link.get('q'), link.get('energy')]).toEqual(['bytes', null, null]);
  await peru.waitDone();
  const byBytes = await peru.results();
  const method = `peru-lora@bytes=${link.get('budget')}`;
  expect(byBytes.average[method]).toBeDefined();
});

test('a link restores the rank, and the spectra show its cut', async ({ peru }) => {
  await peru.open('?demo=lora&q=3&merge=simple-average');
  await expect(peru.rankField).toHaveValue('3');
  await expect(peru.keptTriplets).toBeVisible();
  const drawn = (): Promise<string[]> =>
    peru.spectraMap
      .locator('path')
      .evaluateAll((paths) => paths.map((path) => path.getAttribute('d') ?? ''));
  const cut = await drawn();
  await peru.rankField.fill('12');
  await peru.rankField.press('Enter');
  await expect(peru.rankSlider).toHaveValue('12');
  expect(await drawn()).not.toEqual(cut);
});

test('opens one demo after the other, each with its own controls', async ({ peru, page }) => {
  await peru.open('?demo=lora&q=5');
  await expect(peru.rankField).toHaveValue('5');
  await page.getByRole('button', { name: 'Demo: full fine-tunes' }).click();
  await expect(peru.keptSlider).toBeVisible();
  await expect(peru.rankSlider).toHaveCount(0);
  await peru.waitDone();
  const link = new URL(page.url()).searchParams;
  expect([link.get('demo'), link.get('q')]).toEqual(['fft', null]);
});
