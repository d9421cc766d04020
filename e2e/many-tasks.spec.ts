/** A page that scales with what is dropped: two tasks, twenty-four, fifty. */
import AxeBuilder from '@axe-core/playwright';
import { binaryFile, expect, f32Tensor, safetensorsFile, test } from './fixtures';
import { type FixtureFile, type PeruPage } from './pages/peru-page';

const SCREEN = { width: 1280, height: 800 };

/** A base and so many fine-tunes, each in its folder, the last first. */
function group(tasks: number, base: string): FixtureFile[] {
  const model = (name: string, scale: number): FixtureFile[] => [
    safetensorsFile(`${name}/model.safetensors`, {
      'layer.0.weight': f32Tensor([16, 8], (i) => Math.sin(i) + scale * Math.cos(3 * i)),
      'layer.1.bias': f32Tensor([16], (i) => scale * Math.sin(i)),
    }),
    binaryFile(`${name}/config.json`, Buffer.from('{"model_type":"made-up"}')),
  ];
  const numbers = Array.from({ length: tasks }, (_, i) => tasks - i);
  return [...numbers.flatMap((n) => model(`task${n}`, n / 100)), ...model(base, 0)];
}

async function openGroup(peru: PeruPage, tasks: number, base: string): Promise<void> {
  await peru.page.setViewportSize(SCREEN);
  await peru.open();
  await peru.addFolder(group(tasks, base));
}

for (const tasks of [2, 50]) {
  test(`shows the first result of ${tasks} tasks without scrolling`, async ({ peru, page }) => {
    await openGroup(peru, tasks, 'base');
    await peru.waitDone();
    const first = peru.storageTable.getByRole('row').nth(1);
    expect(await page.evaluate(() => scrollY)).toBe(0);
    const { y, height } = (await first.boundingBox())!;
    expect(y + height).toBeLessThanOrEqual(SCREEN.height);
    await expect(page.getByText(`one base and ${tasks} fine-tunes`).first()).toBeVisible();
  });
}

test.describe('all tasks', () => {
  test.use({ zoo: 'first-rows' });

  test('shows the first accuracy of the demo without scrolling', async ({ peru, page }) => {
    await page.setViewportSize(SCREEN);
    await peru.open();
    // With its longest headline above it.
    await expect(
      page.getByRole('heading', { name: /points of accuracy.*bring back/ }),
    ).toBeVisible();
    const { y, height } = (await peru.accuracyTable.getByRole('row').nth(1).boundingBox())!;
    expect(y + height).toBeLessThanOrEqual(SCREEN.height);
  });
});

test('lists 24 tasks as people count them, in a table, and adds and closes from one line', async ({
  peru,
  page,
}) => {
  await openGroup(peru, 24, 'origin');
  // Nothing in these tells which is the base: one list to choose from, not 25 buttons.
  await peru.alert.getByRole('combobox', { name: 'Base model' }).selectOption('origin');
  await peru.alert.getByRole('button', { name: 'Use origin as base' }).click();
  await peru.waitDone();
  const rows = page.getByRole('table', { name: 'Checkpoints' }).getByRole('rowheader');
  const counted = Array.from({ length: 24 }, (_, i) => new RegExp(`^task${i + 1}$`));
  await expect(rows).toHaveText([/^Base model/, ...counted]);
  const sparse = (await peru.results()).storage.find(({ method }) => method === 'peru-fft@10')!;
  const files = sparse.files.map(({ name }) => name).filter((name) => name.startsWith('task'));
  expect(files).toEqual(counted.map((_, i) => `task${i + 1}.sparse.safetensors`));
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

  await expect(peru.repoField).toBeHidden();
  await peru.unfoldSources();
  await page.getByRole('button', { name: 'Remove added/task24' }).click();
  await expect(page.getByText('one base and 23 fine-tunes').first()).toBeVisible();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(page).toHaveURL(/\?demo=fft/);
  await expect(peru.repoField).toBeVisible();
});
