import { Buffer } from 'node:buffer';
import { statSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, f32Tensor, safetensorsFile, test } from './fixtures';
import { type FixtureFiles, folderFiles, memoryFiles, repoOf } from './fixture-hub/content';
import { expectQuiet } from './fixture-hub/expect-quiet';
import { type FixtureHub, startFixtureHub } from './fixture-hub/start-fixture-hub';
import { type PeruPage } from './pages/peru-page';

const TOKEN = 'hf_secretsecretsecret';
const STRANGER = 'hf_strangerstranger';
/** A port on which nobody listens. */
const NOBODY = 'http://127.0.0.1:9';

const TINY = ['zoo/clip-tiny', 'zoo/clip-tiny_digits', 'zoo/clip-tiny_textures'] as const;
const ADAPTERS = ['zoo/t5-tiny_sentiment-lora-16', 'zoo/t5-tiny_paraphrase-lora-16'] as const;

/** Two small tensors: a model that opens in no time. */
function small(scale: number): FixtureFiles {
  const { buffer } = safetensorsFile('model.safetensors', {
    'a.weight': f32Tensor([64, 48], (i) => scale * Math.sin(1 + i)),
    'b.bias': f32Tensor([50], (i) => scale * Math.cos(i)),
  });
  return memoryFiles({ 'model.safetensors': buffer, 'config.json': '{}' });
}

const PICKLES = memoryFiles({ 'pytorch_model.bin': Buffer.from([0x80, 2]), 'config.json': '{}' });

let hub: FixtureHub;

test.beforeAll(async () => {
  const zoo = async (name: string, folder: string) =>
    repoOf(`zoo/${name}`, await folderFiles(`public/zoo/${folder}/${name}`));
  const pulled = repoOf('me/pickled', PICKLES, {
    pulls: [
      {
        num: 7,
        title: 'Adding `safetensors` variant of this model',
        author: 'SFconvertbot',
        status: 'open',
      },
    ],
  });
  pulled.revisions.set('refs/pr/7', small(1.5));
  hub = await startFixtureHub({
    repos: [
      ...(await Promise.all(TINY.map((id) => zoo(id.slice(4), 'models')))),
      ...(await Promise.all(ADAPTERS.map((id) => zoo(id.slice(4), 'text/adapters')))),
      await zoo('t5-tiny', 'text/models'),
      repoOf('me/base', small(1)),
      repoOf('me/one', small(1.1)),
      repoOf('me/two', small(1.2)),
      repoOf('me/private', small(1.3), { private: true }),
      repoOf('me/gated', small(1.4), { gated: true }),
      pulled,
    ],
    tokens: { [TOKEN]: ['me/private'], [STRANGER]: [] },
  });
});

test.afterEach(() => {
  hub.clearFaults();
  hub.clearLog();
});

test.afterAll(() => hub.close());

/** The page as a link to the fixture Hub opens it: with a demo, and repos to be named. */
async function openPage(peru: PeruPage): Promise<void> {
  await peru.open(`?demo=fft&hub=${hub.hubUrl}`);
}

function linkTo(repos: readonly string[], more = ''): string {
  const [base, ...tasks] = repos;
  const query = [`base=${base ?? ''}`, ...tasks.map((task) => `task=${task}`), `hub=${hub.hubUrl}`];
  return `?${query.join('&')}${more}`;
}

test('names repos, opens them when told to, and merges them', async ({ peru, page }) => {
  await openPage(peru);
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
  await peru.open(linkTo(TINY, '&m=5'));
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
  await openPage(peru);
  await peru.openRepos('zoo/t5-tiny', ...ADAPTERS);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await expect(peru.storageTable).toContainText('PERU-LoRA');
  await expect(peru.spectraMap).toBeVisible();
  expect(new URL(peru.page.url()).search).toMatch(/^\?base=zoo\/t5-tiny@/);
});

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
    await openPage(peru);
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
  await openPage(peru);
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

test('reads a private repo with a token, which goes to the Hub alone and stays nowhere', async ({
  peru,
  page,
}) => {
  const spoken: string[] = [];
  page.on('console', (message) => spoken.push(message.text()));
  await openPage(peru);
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
  await openPage(peru);
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
  await openPage(peru);
  await peru.openRepos('me/base', 'me/pickled', 'me/one');
  await expect(peru.alert).toContainText(/pickles/);
  await peru.alert.getByRole('button', { name: 'Use me/pickled@refs/pr/7' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await peru.unfoldSources();
  await expect(peru.repos).toHaveText([/me\/base/, /me\/pickled@refs\/pr\/7/, /me\/one/]);
});

test('waits where the Hub limits requests, says why and for how long, and can be cancelled', async ({
  peru,
  page,
}) => {
  hub.fault({ kind: 'status', status: 429, path: /\/api\/models\//, times: Infinity });
  await peru.open(linkTo(TINY));
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
  await peru.open(linkTo(TINY));
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
  await openPage(peru);
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
  await peru.open(linkTo(TINY));
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
  await peru.open(linkTo(TINY));
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
      await openPage(peru);
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
