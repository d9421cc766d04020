import { defineConfig } from '@playwright/test';
import { type FirefoxOptions } from './e2e/firefox/launch';
import { CHROMIUM_FLAGS, chromiumPath } from './scripts/chromium.mjs';

const PORT = 4199;
/**
 * Ends what hangs where no page can tell. Journeys wait for as long as something moves on their
 * pages (e2e/pages/stillness.ts), so how busy the machine is doesn't matter.
 */
const HANGS_MS = 20 * 60_000;

/** What takes minutes on a machine without a GPU: `npm run test:full`. */
const FULL = /@full/;

/**
 * Firefox's waits follow progress (e2e/firefox/firefox-page.ts); the time ends what hangs elsewhere.
 *
 * Tried again, since Firefox itself stands still now and then while WebDriver BiDi watches its
 * workers: one never gets past starting, or its requests no longer leave. Seen on 5 of 20 pages that
 * were driven so, on none of 64 that were not.
 */
const FIREFOX = { testDir: 'e2e/firefox', timeout: 20 * 60_000, retries: 2 };

/**
 * Journeys on the built page: all in the same full Chromium that the GPU tests use, the main ones
 * in stock Firefox, too, as it ships on Linux and with WebGPU on a software adapter.
 */
export default defineConfig<object, FirefoxOptions>({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  timeout: HANGS_MS,
  expect: { timeout: HANGS_MS },
  // Most of a journey is waiting for one thread: two at a time keep two cores busy.
  workers: 2,
  forbidOnly: true,
  projects: [
    { name: 'chromium', testIgnore: 'e2e/firefox/**', grepInvert: FULL },
    { name: 'full', testIgnore: 'e2e/firefox/**', grep: FULL },
    { ...FIREFOX, name: 'firefox', grepInvert: FULL, use: { webgpu: false } },
    { ...FIREFOX, name: 'firefox-webgpu', grepInvert: FULL, use: { webgpu: true } },
    { ...FIREFOX, name: 'firefox-full', grep: FULL, use: { webgpu: false } },
    { ...FIREFOX, name: 'firefox-webgpu-full', grep: FULL, use: { webgpu: true } },
  ],
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
