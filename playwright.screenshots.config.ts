import { defineConfig } from '@playwright/test';
import journeys from './playwright.config';

/** `npm run screenshots`: the README's pictures anew, from the built page. */
export default defineConfig({
  ...journeys,
  testMatch: 'screenshots.ts',
  projects: [{ name: 'chromium' }],
  workers: 1,
  use: {
    ...journeys.use,
    // High enough that nothing scrolls, so that nothing sticks.
    viewport: { width: 1280, height: 2700 },
    colorScheme: 'light',
  },
});
