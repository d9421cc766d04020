/** m by the bytes a task may take, or by the accuracy that must stay; packed values, there and back. */
import { binaryFile, expect, test } from './fixtures';
import { type PeruPage } from './pages/peru-page';

const bytesField = ({ page }: PeruPage) => page.getByRole('spinbutton', { name: 'Bytes a task' });
const bytesSlider = ({ page }: PeruPage) => page.getByRole('slider', { name: 'Bytes a task' });
const parameter = ({ page }: PeruPage, name: string) => new URL(page.url()).searchParams.get(name);

test('a budget of bytes is kept and nearly filled, exported, and comes back', async ({
  peru,
  page,
}) => {
  await peru.open('?demo=fft&compress=peru-fft');
  await peru.waitDone();
  await bytesField(peru).fill('9000');
  await bytesField(peru).press('Enter');
  await peru.waitDone();
  await expect(page.getByText(/was chosen by a budget of 9000 bytes a task/)).toBeVisible();
  await expect.poll(() => parameter(peru, 'values')).toBe('Q1');
  const { storage } = await peru.results();
  const row = storage.find(({ method }) => method === `peru-fft@${parameter(peru, 'm')}`)!;
  const own = row.files.filter(({ name }) => name.endsWith('.sparse.safetensors'));
  const most = Math.max(...own.map(({ bytes }) => bytes));
  expect(most).toBeLessThanOrEqual(9000);
  expect(most).toBeGreaterThan(8900);
  await expect(bytesField(peru)).toHaveValue(String(most));

  const files = await peru.export();
  for (const { name, bytes } of own) {
    expect(files.find(({ path }) => path === name)!.bytes).toBe(bytes);
  }
  const entries = await peru.downloadAll();
  const kept = await peru.column(/^PERU-FFT/);
  await peru.addFolder([...entries].map(([path, bytes]) => binaryFile(`out/${path}`, bytes)));
  await expect(peru.status).not.toHaveText(/^Done/);
  await expect.poll(() => peru.column(/^Fine-tuned/)).toEqual(kept);
  expect(peru.faults).toEqual([]);
});

test('the slider of bytes answers to the keyboard; too few bytes are refused with the least', async ({
  peru,
}) => {
  await peru.open('?demo=fft&compress=peru-fft&m=1&values=Q1');
  await peru.waitDone();
  const before = Number(await bytesField(peru).inputValue());
  await bytesSlider(peru).focus();
  for (let i = 0; i < 3; i++) await peru.page.keyboard.press('ArrowRight');
  await peru.waitDone();
  await expect.poll(async () => Number(await bytesField(peru).inputValue())).not.toBe(before);
  await expect(bytesSlider(peru), 'keeps the focus').toBeFocused();
  const m = parameter(peru, 'm');
  await bytesField(peru).fill('300');
  await bytesField(peru).press('Enter');
  await expect(peru.alert).toContainText(/No m gives files of 300 bytes a task.* takes \d+/);
  expect(parameter(peru, 'm'), 'nothing is lost').toBe(m);
  await expect(peru.accuracyTable).toBeVisible();
});

test('the smallest files that keep 99 % are found, and told on rows they were not chosen by', async ({
  peru,
  page,
}) => {
  await peru.open('?demo=fft&compress=peru-fft');
  await peru.waitDone();
  await page.getByRole('button', { name: 'Find the smallest files' }).click();
  await expect(
    page.getByText(/was chosen by the first 32 rows of each test.*on the other rows it keeps/),
  ).toBeVisible();
  await peru.waitDone();
  expect(parameter(peru, 'values')).toMatch(/^Q[1-4]$/);
  expect(peru.faults).toEqual([]);
});
