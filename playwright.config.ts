import { defineConfig } from '@playwright/test';
import { CHROMIUM_FLAGS, chromiumPath } from './scripts/chromium.mjs';

const PORT = 4199;
/**
 * Ends what hangs where no page can tell. Journeys wait for as long as something moves on their
 * pages (e2e/pages/stillness.ts), so how busy the machine is doesn't matter.
 */
const HANGS_MS = 20 * 60_000;

/** Journeys on the built page, in the same full Chromium that the GPU tests use. */
export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  timeout: HANGS_MS,
  expect: { timeout: HANGS_MS },
  // Most of a journey is waiting for one thread: two at a time keep two cores busy.
  workers: 2,
  forbidOnly: true,
  use: {
    baseURL: `http://localhost:${PORT}/`,
    launchOptions: { executablePath: chromiumPath(), args: CHROMIUM_FLAGS },
  },
  webServer: {
    command: `npx vite preview --port ${PORT} --strictPort`,
    url: `http://localhost:${PORT}/`,
    stdout: 'ignore',
  },
});
