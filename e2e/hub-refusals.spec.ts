/** Repos that the Hub refuses, and a Hub that is busy, slow or out of reach. */
import { statSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures';
import { expectQuiet } from './fixture-hub/expect-quiet';
import { type FixtureHub } from './fixture-hub/start-fixture-hub';
import { linkTo, openPage, startZooHub, STRANGER, TINY } from './fixture-hub/zoo-hub';

/** A port on which nobody listens. */
const NOBODY = 'http://127.0.0.1:9';

let hub: FixtureHub;

test.beforeAll(async () => {
  hub = await startZooHub();
});

test.afterEach(() => {
  hub.clearFaults();
  hub.clearLog();
});

test.afterAll(() => hub.close());

const REFUSED = [
  {
    what: 'a repo that is not there',
    repos: ['me/base', 'me/nothing'],
    says: /no public model repo me\/nothing/,
  },
  {
    what: 'a private repo',
    repos: ['me/base', 'me/private'],
    says: /me\/private.*private.*token/s,
  },
  {
    what: 'a revision that is not there',
    repos: ['me/base', 'me/one@v9'],
    says: /no revision "v9"/,
  },
  { what: 'a data set', repos: ['me/base', 'datasets/me/pictures'], says: /is a data set/ },
  {
    what: 'text that names no repo',
    repos: ['me/base', 'me/a--b'],
    says: /does not name a model repo/,
  },
  { what: 'one repo alone', repos: ['me/base'], says: /stands alone/ },
  {
    what: 'a repo of another Hub',
    repos: ['me/base', 'https://hub.example/me/one'],
    says: /not of the Hub in use/,
  },
];

for (const { what, repos, says } of REFUSED) {
  test(`refuses ${what} with a clear alert, and opens the list once it is put right`, async ({
    peru,
    page,
  }) => {
    await openPage(peru, hub);
    await peru.openRepos(...repos);
    await expect(peru.alert).toContainText(says);
    if (repos.length > 1) await page.getByRole('button', { name: `Remove ${repos[1]!}` }).click();
    await peru.addFromHub('me/one');
    await peru.alert.getByRole('button', { name: 'Try again' }).click();
    await peru.waitDone();
    await expect(peru.alert).toHaveCount(0);
  });
}

test('says where to ask for access to a gated repo, with the token or without', async ({
  peru,
}) => {
  await openPage(peru, hub);
  await peru.openRepos('me/base', 'me/gated');
  const link = peru.alert.getByRole('link', { name: `${hub.hubUrl}/me/gated` });
  await expect(link).toHaveAttribute('href', `${hub.hubUrl}/me/gated`);
  await expect(peru.alert).toContainText(/gated.*paste a token/s);
  await peru.giveToken(STRANGER);
  await peru.alert.getByRole('button', { name: 'Try again' }).click();
  await expect(peru.alert).toContainText('try again once it is granted');
  await expect(link).toBeVisible();
  expect(hub.requests.some(({ status }) => status === 403)).toBe(true);
});

test('waits where the Hub limits requests, says why and for how long, and can be cancelled', async ({
  peru,
  page,
}) => {
  hub.fault({ kind: 'status', status: 429, path: /\/api\/models\//, times: Infinity });
  await peru.open(linkTo(hub, TINY));
  const { host } = new URL(hub.hubUrl);
  await expect(peru.status).toContainText(`Waiting: ${host} answers too many requests`);
  const secondsLeft = async (): Promise<number> =>
    Number(/next try in (\d+) s/.exec(await peru.status.innerText())?.[1]);
  const first = await secondsLeft();
  // The page can not read how long it takes.
  expect(first).toBeGreaterThanOrEqual(25);
  expect(first).toBeLessThanOrEqual(60);
  await expect.poll(secondsLeft).toBeLessThan(first);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(peru.status).toHaveText(/^Cancelled/);
  hub.clearFaults();
  await page.getByRole('button', { name: 'Run again' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});

test('survives twenty dropped connections', async ({ peru }) => {
  hub.fault({
    kind: 'drop',
    afterBytes: 20_000,
    path: /model\.safetensors/,
    server: 'content',
    times: 20,
  });
  await peru.open(linkTo(hub, TINY));
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  const moved = hub.requests.filter(({ server }) => server === 'content');
  expect(moved.length).toBeGreaterThanOrEqual(20);
  const sizes = TINY.map(
    (id) => statSync(`public/zoo/models/${id.slice(4)}/model.safetensors`).size,
  );
  const needed = sizes.reduce((sum, size) => sum + size, 0);
  const bytes = moved.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  expect(bytes / needed, 'it goes on where it stopped').toBeLessThan(1.02);
});

test('says that nobody answers', async ({ peru }) => {
  await peru.open(`?base=me/base&task=me/one&hub=${NOBODY}`);
  await expect(peru.alert).toContainText(/connection to 127\.0\.0\.1:9 failed/);
});

test('says that the device is offline, and recovers when it is back', async ({
  peru,
  page,
  context,
}) => {
  hub.fault({ kind: 'slow', bytesPerSecond: 4000, path: /model\.safetensors/, times: Infinity });
  await peru.open(linkTo(hub, TINY));
  await expect(page.getByText(/ of .* a second/)).toBeVisible();
  await context.setOffline(true);
  hub.clearFaults();
  hub.fault({ kind: 'refuse', path: /./, times: Infinity });
  await expect(peru.alert).toContainText(/offline/);
  hub.clearFaults();
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await peru.waitDone();
});

test('cancels in the middle of a download and stays usable', async ({ peru, page }) => {
  hub.fault({ kind: 'slow', bytesPerSecond: 4000, path: /model\.safetensors/, times: Infinity });
  await peru.open(linkTo(hub, TINY));
  await expect(page.getByRole('progressbar', { name: 'Fetching files' })).toBeVisible();
  await expect(page.getByText(/ of .* a second/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(peru.status).toHaveText(/^Cancelled/);
  await expectQuiet(hub);
  hub.clearFaults();
  await page.getByRole('button', { name: 'Run again' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});

test('refuses a link to a Hub that is neither safe nor on this machine', async ({ peru }) => {
  await peru.open('?base=me/base&task=me/one&hub=http://hub.example');
  await expect(peru.alert).toContainText('hub=http://hub.example');
  await expect(peru.status).toHaveText(/scoring/i);
  expect([...peru.requestedOrigins]).toEqual([new URL(peru.page.url()).origin]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of [
    { width: 360, height: 740 },
    { width: 1280, height: 900 },
  ]) {
    test(`axe finds nothing at ${viewport.width} px, ${colorScheme}`, async ({ peru, page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await openPage(peru, hub);
      await peru.giveToken(STRANGER);
      await peru.openRepos(
        'me/base',
        'me/gated',
        'me/a-name-that-is-long-enough-to-break-any-line_of_a_phone',
      );
      await expect(peru.alert).toBeVisible();
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, 'the page itself never scrolls sideways').toBeLessThanOrEqual(0);
    });
  }
}
