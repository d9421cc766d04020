import { expect, test } from './fixtures';

/** Files the demo needs, and what the page says when one can not be had. */
const MISSING = [
  { what: 'the manifest', glob: '**/zoo/zoo.json', says: /zoo\.json/ },
  {
    what: 'a checkpoint',
    glob: '**/clip-tiny_digits/model.safetensors',
    says: /model\.safetensors/,
  },
  { what: 'a data set', glob: '**/digits/data/test-*.parquet', says: /parquet/ },
];

for (const { what, glob, says } of MISSING) {
  test(`says that ${what} is missing, and recovers when it is there`, async ({ peru, page }) => {
    await page.route(glob, (route) => route.fulfill({ status: 404, body: '' }));
    await peru.open('?demo=fft');
    await expect(peru.alert).toContainText(says);
    await expect(peru.alert).toContainText(/reload/i);
    await page.unroute(glob);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(peru.accuracyTable).toContainText('%');
    await expect(peru.alert).toHaveCount(0);
  });
}

test('recovers when the evaluator could not be loaded at first', async ({ peru, page }) => {
  await page.route('**/*.wasm', (route) => route.abort());
  await peru.open('?demo=fft');
  await expect(peru.alert).toContainText(/evaluator/i);
  await page.unroute('**/*.wasm');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(peru.accuracyTable).toContainText('%');
});

test('recovers when the worker could not be loaded at first', async ({ peru, page }) => {
  await page.route('**/peru-worker-*.js', (route) => route.abort());
  await peru.open('?demo=fft');
  await expect(peru.alert).toContainText(/worker/i);
  await page.unroute('**/peru-worker-*.js');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(peru.accuracyTable).toContainText('%');
});

test('a connection dropped in the middle of a file is reported', async ({ peru, page }) => {
  await page.route('**/clip-tiny/model.safetensors', (route) => route.abort('connectionreset'));
  await peru.open('?demo=fft');
  await expect(peru.alert).toContainText(/model\.safetensors.*connection/);
});
