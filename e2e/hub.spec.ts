/** Models of the Hub: named, found by a link, kept on this disk, read with a token. */
import { expect, test } from './fixtures';
import { type FixtureHub } from './fixture-hub/start-fixture-hub';
import { ADAPTERS, linkTo, openPage, startZooHub, TINY, TOKEN } from './fixture-hub/zoo-hub';

let hub: FixtureHub;

test.beforeAll(async () => {
  hub = await startZooHub();
});

test.afterEach(() => {
  hub.clearFaults();
  hub.clearLog();
});

test.afterAll(() => hub.close());

test('names repos, opens them when told to, and merges them', async ({ peru, page }) => {
  await openPage(peru, hub);
  await expect(page.getByText(`reads repos from ${new URL(hub.hubUrl).host}`)).toBeVisible();
  await peru.repoField.click();
  await page.keyboard.insertText(`${TINY[0]}\n${hub.hubUrl}/${TINY[1]}\nzoo/typo`);
  await page.keyboard.press('Enter');
  await expect(peru.repoField).toHaveValue('');
  await page.getByRole('button', { name: 'Remove zoo/clip-tiny', exact: true }).press('Enter');
  await expect(page.getByRole('heading', { name: 'Repos to open' })).toBeFocused();
  await page.getByRole('button', { name: 'Remove zoo/typo' }).press('Enter');
  await page.getByRole('button', { name: /^Remove/ }).press('Enter');
  await expect(peru.repos).toHaveCount(0);
  await expect(peru.repoField).toBeFocused();
  await page.keyboard.insertText(`${TINY[0]}\n${hub.hubUrl}/${TINY[1]}\nzoo/typo`);
  await page.getByRole('button', { name: 'Add from Hub' }).press('Enter');
  await peru.addFromHub(TINY[2]);
  await peru.addFromHub(TINY[2]);
  await expect(peru.repos).toHaveCount(4);
  await page.getByRole('button', { name: 'Remove zoo/typo' }).press('Enter');
  await expect(peru.repos).toHaveCount(3);
  expect(hub.requests, 'nothing is fetched before the repos are opened').toEqual([]);

  await peru.openReposButton.click();
  await expect(peru.status).toHaveText(`Opening the repos from ${new URL(hub.hubUrl).host}`);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await expect(page.getByText(/no accuracy/i).first()).toBeVisible();
  await expect(peru.storageTable).toContainText('PERU-FFT (10 %)');
  await expect(peru.storageTable).toContainText(/\d (?:MB|KB)/);

  const { search } = new URL(page.url());
  expect(search).toMatch(
    /^\?base=zoo\/clip-tiny@[0-9a-f]{40}&task=zoo\/clip-tiny_digits@[0-9a-f]{40}&task=zoo\/clip-tiny_textures@/,
  );
  expect(search).toContain(`&hub=${hub.hubUrl}&`);
  const results = await peru.results();
  expect(results.storage.map(({ method }) => method)).toContain('peru-fft@10');
});

test('opens a link to repos, says which Hub it asks, and asks for no base', async ({
  peru,
  page,
}) => {
  await peru.open(linkTo(hub, TINY, '&m=5'));
  await expect(peru.status).toHaveText(`Opening the repos from ${new URL(hub.hubUrl).host}`);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await peru.unfoldSources();
  await expect(peru.repos).toHaveCount(3);
  await expect(peru.storageTable).toContainText('PERU-FFT (5 %)');
  const written = page.url();
  await page.goto(written);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  expect(page.url(), 'the link it writes opens the same').toBe(written);
});

test('compresses adapters of the Hub beside their base', async ({ peru }) => {
  await openPage(peru, hub);
  await peru.openRepos('zoo/t5-tiny', ...ADAPTERS);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await expect(peru.storageTable).toContainText('PERU-LoRA');
  await expect(peru.spectraMap).toBeVisible();
  expect(new URL(peru.page.url()).search).toMatch(/^\?base=zoo\/t5-tiny@/);
});

test('reads a private repo with a token, which goes to the Hub alone and stays nowhere', async ({
  peru,
  page,
}) => {
  const spoken: string[] = [];
  page.on('console', (message) => spoken.push(message.text()));
  await openPage(peru, hub);
  await peru.giveToken('hf_wrong');
  await peru.openRepos('me/base', 'me/private');
  await expect(peru.alert).toContainText('did not accept the access token');
  await peru.giveToken(TOKEN);
  await peru.alert.getByRole('button', { name: 'Try again' }).click();
  await peru.waitDone();
  const sent = (server: string) =>
    new Set(hub.requests.filter((one) => one.server === server).map((one) => one.authorization));
  expect(sent('hub')).toEqual(new Set(['Bearer hf_wrong', `Bearer ${TOKEN}`]));
  expect(sent('content')).toEqual(new Set([null]));
  expect(hub.requests.map(({ path }) => path).join(' ')).not.toContain('hf_');
  const kept = await page.evaluate(() => [
    location.href,
    JSON.stringify(localStorage),
    JSON.stringify(sessionStorage),
    document.cookie,
    document.documentElement.outerHTML,
  ]);
  const everything = [...kept, ...spoken, JSON.stringify(await peru.results())].join('\n');
  expect(everything).not.toContain('hf_');

  await page.getByRole('button', { name: 'Use huggingface.co' }).click();
  await expect(page.getByLabel('Access token'), 'typed for another Hub').toHaveValue('');
});

test('asks which repo is the base where their tensors do not tell', async ({ peru }) => {
  await openPage(peru, hub);
  await peru.openRepos('me/one', 'me/two');
  await peru.alert.getByRole('button', { name: 'Use two as base' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  expect(new URL(peru.page.url()).search).toMatch(/^\?base=me\/two@.*&task=me\/one@/);
  await peru.page.getByRole('button', { name: /^Use as base.*one/ }).click();
  await expect(peru.page).toHaveURL(/\?base=me\/one@.*&task=me\/two@/);
  await peru.waitDone();
});

test('takes the conversion that the Hub offers in the place of pickles', async ({ peru }) => {
  await openPage(peru, hub);
  await peru.openRepos('me/base', 'me/pickled', 'me/one');
  await expect(peru.alert).toContainText(/pickles/);
  await peru.alert.getByRole('button', { name: 'Use me/pickled@refs/pr/7' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await peru.unfoldSources();
  await expect(peru.repos).toHaveText([/me\/base/, /me\/pickled@refs\/pr\/7/, /me\/one/]);
});

test('keeps what it read on this disk, says how much, and clears it when told', async ({
  peru,
  page,
}) => {
  const tensorBytes = (): number =>
    hub.requests
      .filter(({ server }) => server === 'content')
      .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  const openAgain = async (): Promise<void> => {
    hub.clearLog();
    await peru.unfoldSources();
    await peru.openReposButton.click();
    await expect(peru.status).toHaveText(/^Opening the repos/);
    await peru.waitDone();
  };
  await openPage(peru, hub);
  for (const repo of TINY) await peru.addFromHub(repo);
  await openAgain();
  const moved = tensorBytes();
  expect(moved).toBeGreaterThan(1e6);
  await peru.unfoldSources();
  const kept = page.getByText(/from the Hub are kept on this disk/);
  await expect(kept).toBeVisible();

  await openAgain();
  expect(tensorBytes(), 'no byte moves twice').toBe(0);

  await peru.unfoldSources();
  await page.getByRole('button', { name: 'Clear the files kept from the Hub' }).click();
  await expect(kept).toHaveCount(0);
  await openAgain();
  expect(tensorBytes()).toBe(moved);
});
