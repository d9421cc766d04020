import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures';
import { memoryFiles, repoOf } from './fixture-hub/content';
import { type FixtureHub, startFixtureHub } from './fixture-hub/start-fixture-hub';
import { APP, buildForApp } from './oauth-app';
import { type PeruPage } from './pages/peru-page';

let hub: FixtureHub;

test.beforeAll(async () => {
  const files = memoryFiles({ 'config.json': '{}' });
  const model = repoOf('me/clip-model', files, { versions: ['v1'], downloads: 12_000, likes: 3 });
  model.revisions.set('v1', files);
  hub = await startFixtureHub({
    repos: [
      model,
      repoOf('me/clip-gated', files, { gated: true, tags: ['safetensors'] }),
      repoOf('ada/clip-hidden', files, { private: true }),
    ],
    app: { ...APP, user: 'ada', repos: ['ada/clip-hidden'] },
  });
});

test.afterEach(() => {
  hub.signIn.decision = 'accept';
  hub.clearLog();
});

test.afterAll(() => hub.close());

async function openPage(peru: PeruPage): Promise<void> {
  await buildForApp(peru.page);
  await peru.open(`?demo=fft&hub=${hub.hubUrl}`);
}

test('finds a repo by a part of its name, and another revision of it', async ({ peru, page }) => {
  await openPage(peru);
  await peru.repoField.pressSequentially('clip');
  const option = page.getByRole('option', { name: /^me\/clip-model/ });
  await expect(option).toContainText('12K downloads');
  await expect(page.getByRole('listbox').getByRole('option')).toHaveCount(2);
  expect((await new AxeBuilder({ page }).include('[role=group]').analyze()).violations).toEqual([]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(peru.repos).toHaveText([/^me\/clip-model@main/]);
  await page.getByRole('button', { name: 'Revision of me/clip-model' }).click();
  await page.getByRole('combobox', { name: 'Branch, tag or pull request' }).selectOption('v1');
  await expect(peru.repos).toHaveText([/^me\/clip-model@v1/]);
  expect((await new AxeBuilder({ page }).include('[role=group]').analyze()).violations).toEqual([]);
});

test('signs in through a window, keeps what was typed, and signs out', async ({ peru, page }) => {
  await openPage(peru);
  await peru.addFromHub('me/clip-model me/clip-gated');
  const host = new URL(hub.hubUrl).host;
  hub.signIn.decision = 'wait';
  await peru.unfoldSources();
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: `Sign in with ${host}` }).click();
  const popup = await opened;
  await expect(page.getByText('Waiting for you')).toBeVisible();
  const closed = popup.waitForEvent('close');
  await popup.getByRole('link', { name: 'Authorize' }).click();
  await closed;
  await expect(page.getByText('Signed in as ada')).toBeVisible();
  await expect(peru.repos).toHaveCount(2);
  await peru.repoField.pressSequentially('clip-h');
  await expect(page.getByRole('option', { name: /ada\/clip-hidden.*private/ })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
  expect(stored).not.toMatch(/hf_oauth|verifier|nonce/);
  expect(page.url()).not.toContain('hf_oauth');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: `Sign in with ${host}` })).toBeVisible();
  expect(peru.faults).toEqual([]);
});

test('says that the sign-in was refused or failed', async ({ peru, page }) => {
  await openPage(peru);
  hub.signIn.decision = 'refuse';
  await peru.unfoldSources();
  await page.getByRole('button', { name: /^Sign in with/ }).click();
  await expect(page.getByText(/The sign-in was refused/)).toBeVisible();
  hub.signIn.decision = 'fail';
  await page.getByRole('button', { name: /^Sign in with/ }).click();
  await expect(page.getByText(/did not sign you in: The consent could not/)).toBeVisible();
  hub.signIn.decision = 'break';
  await page.getByRole('button', { name: /^Sign in with/ }).click();
  await expect(page.getByText(/close that window and cancel here; then sign in/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel sign-in' }).click();
  await expect(page.getByRole('button', { name: /^Sign in with/ })).toBeVisible();
});

test('says that this copy may not talk to another Hub', async ({ peru, page }) => {
  await peru.open('?base=me/base&task=me/one&hub=https://hub.example');
  await expect(peru.alert).toContainText(/may talk to huggingface\.co and to this machine/);
  await page.getByRole('button', { name: 'Dismiss' }).click();
});
