import { expect, test } from './fixtures';
import { memoryFiles, repoOf } from './fixture-hub/content';
import { startFixtureHub } from './fixture-hub/start-fixture-hub';

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

test.describe('unaltered requests', () => {
  // Where any is altered the browser's own cache stands still.
  test.use({ zoo: 'whole' });

  test('a range costs a preflight with a token, and none without', async ({ page }) => {
    const weights = new Uint8Array(3000);
    const hub = await startFixtureHub({
      repos: [repoOf('me/base', memoryFiles({ 'model.safetensors': weights }))],
      tokens: { hf_secret: [] },
    });
    /** Reads three ranges, one after the other; how many preflights the Hub saw. */
    const preflights = async (cache: RequestCache, token: string): Promise<number> => {
      hub.clearLog();
      const url = `${hub.hubUrl}/me/base/resolve/main/model.safetensors?${cache}${token}`;
      const statuses = await page.evaluate(
        async ([address, mode, secret]) => {
          const found: number[] = [];
          for (const start of [0, 1000, 2000]) {
            const headers = new Headers({ Range: `bytes=${start}-${start + 999}` });
            if (secret !== '') headers.set('Authorization', `Bearer ${secret}`);
            const answer = await fetch(address, { headers, cache: mode });
            await answer.arrayBuffer();
            found.push(answer.status);
          }
          return found;
        },
        [url, cache, token] as const,
      );
      expect(statuses).toEqual([206, 206, 206]);
      expect(hub.preflights.every(({ server }) => server === 'hub')).toBe(true);
      return hub.preflights.length;
    };
    try {
      await page.goto('./');
      // As the page reads. Nothing is asked twice, and no preflight is remembered.
      expect(await preflights('no-store', '')).toBe(0);
      expect(await preflights('no-store', 'hf_secret')).toBe(3);
      // What the browser's cache would save, at the price that HubClient tells.
      expect(await preflights('default', 'hf_secret')).toBe(1);
    } finally {
      await hub.close();
    }
  });
});
