import { test as base } from '@playwright/test';
import { type Browser } from 'puppeteer-core';
import { FirefoxPage } from './firefox-page';
import { type FirefoxOptions, launchFirefox } from './launch';

export { expect } from '@playwright/test';

/** One Firefox for all journeys of a mode, and a page in a context of its own for each. */
export const test = base.extend<
  { peru: FirefoxPage },
  FirefoxOptions & { readonly firefox: Browser }
>({
  webgpu: [false, { option: true, scope: 'worker' }],
  firefox: [
    async ({ webgpu }, use) => {
      const firefox = await launchFirefox({ webgpu });
      await use(firefox);
      await firefox.close();
    },
    { scope: 'worker' },
  ],
  peru: async ({ firefox, webgpu, baseURL }, use) => {
    const peru = await FirefoxPage.create(firefox, baseURL!, webgpu);
    await use(peru);
    await peru.dispose();
  },
});
