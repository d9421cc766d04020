import { expect, test } from './fixtures';

test('moving m changes the counts at once and the accuracy on release', async ({ peru }) => {
  await peru.open('?demo=fft&m=10');
  await peru.waitDone();
  const merged = await peru.percent('Average', /Merged/);
  const before = await peru.percent('Average', /PERU-FFT/);

  await peru.keptField.fill('0');
  await peru.keptField.press('Enter');
  await peru.waitDone();
  expect(await peru.percent('Average', /PERU-FFT/)).toBeCloseTo(merged, 5);
  expect(before).toBeGreaterThan(merged);
  expect(new URL(peru.page.url()).searchParams.get('m')).toBe('0');
});

test('without the baseline the story stays, and the link says so', async ({ peru, page }) => {
  await peru.open('?demo=fft');
  await peru.waitDone();
  const before = await peru.results();
  await page.getByRole('combobox', { name: 'Baseline' }).selectOption('none');
  await peru.waitDone();
  await expect.poll(() => new URL(page.url()).searchParams.get('compress')).toBe('peru-fft');
  await expect(page.getByText('Post-Pruning')).toHaveCount(1);
  await expect(page.getByText(/entries bring back/)).toBeVisible();
  const { average } = await peru.results();
  expect(average['peru-fft@10']).toBe(before.average['peru-fft@10']);
  expect(Object.keys(average).some((method) => method.startsWith('post-pruning'))).toBe(false);
  expect(peru.faults).toEqual([]);
});

test('all entries give the fine-tuned accuracy back, in half precision', async ({ peru }) => {
  await peru.open('?demo=fft&m=100');
  await peru.waitDone();
  const finetuned = await peru.percent('Average', /Fine-tuned/);
  expect(Math.abs((await peru.percent('Average', /PERU-FFT/)) - finetuned)).toBeLessThan(0.3);
});

test('the slider answers to the keyboard', async ({ peru }) => {
  await peru.open('?demo=fft&m=10');
  await peru.waitDone();
  await peru.keptSlider.focus();
  const before = await peru.keptSlider.inputValue();
  await peru.page.keyboard.press('ArrowLeft');
  expect(await peru.keptSlider.inputValue()).not.toBe(before);
  await peru.waitDone();
});

test('a link carries the recipe', async ({ peru }) => {
  await peru.open('?demo=fft&merge=simple-average&m=3');
  await expect(peru.page.getByRole('combobox', { name: 'Merge method' })).toHaveValue(
    'simple-average',
  );
  await expect(peru.keptField).toHaveValue('3');
});

test('Cancel stops the job and says so', async ({ peru }) => {
  await peru.open();
  await peru.page.getByRole('button', { name: 'Cancel' }).click();
  await expect(peru.status).toHaveText(/cancelled/i);
  await expect(peru.page.getByRole('progressbar')).toHaveCount(0);
});
