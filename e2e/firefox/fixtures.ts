import { test as base } from '@playwright/test';
import { type Browser } from 'puppeteer-core';
import { FirefoxPage } from './firefox-page';
import { type FirefoxOptions, launchFirefox } from './launch';
import { startShortSite } from './short-site';

export { expect } from '@playwright/test';

interface Fixtures {
  /** Of the demos: their first rows unless a journey says otherwise. */
  readonly zoo: 'whole' | 'first-rows';
  readonly peru: FirefoxPage;
}

interface WorkerFixtures extends FirefoxOptions {
  readonly firefox: Browser;
}

/** One Firefox for all journeys of a mode, and a page in a context of its own for each. */
export const test = base.extend<Fixtures, WorkerFixtures>({
  zoo: ['first-rows', { option: true }],
  webgpu: [false, { option: true, scope: 'worker' }],
  firefox: [
    async ({ webgpu }, use) => {
      const firefox = await launchFirefox({ webgpu });
      await use(firefox);
      await firefox.close();
    },
    { scope: 'worker' },
  ],
  peru: async ({ firefox, webgpu, baseURL, zoo }, use) => {
    const site = await startShortSite(baseURL!, zoo);
    const peru = await FirefoxPage.create(firefox, site.address, webgpu);
    await use(peru);
    await peru.dispose();
    await site.close();
  },
});
