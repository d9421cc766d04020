import { type Page } from '@playwright/test';

/** A Hub's app as which the page is built; its answers come back to the page's own address. */
export const APP = {
  clientId: 'peru-e2e',
  redirectUrls: ['http://localhost/oauth-callback.html'],
} as const;

/** Makes the page what it is when it was built for `APP`. */
export async function buildForApp(page: Page): Promise<void> {
  await page.addInitScript((clientId) => {
    // The document is there, and the page's own script has not run yet.
    const setUp = (): void => {
      const meta = document.createElement('meta');
      meta.name = 'hub-client-id';
      meta.content = clientId;
      document.head.append(meta);
    };
    document.addEventListener('readystatechange', setUp, { once: true });
  }, APP.clientId);
}
