import { playwright } from '@vitest/browser-playwright';
import { defineConfig, mergeConfig } from 'vitest/config';
import { CHROMIUM_FLAGS, findChromium } from './scripts/chromium.mjs';
import viteConfig from './vite.config.ts';

/** Unit tests need no browser: only the GPU project complains where there is none. */
const executablePath = findChromium();
const chromium = executablePath === null ? {} : { executablePath };

/**
 * Ends a test that hangs, and a condition that never comes true. How long a test takes depends on
 * what else the machine does, so none has a limit of its own.
 */
const HANGS_MS = 10 * 60_000;
const NEVER_TRUE_MS = 2 * 60_000;

/** Unit tests run in Node; `*.gpu.test.ts` run in full Chromium, on whatever adapter it has. */
export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      testTimeout: HANGS_MS,
      hookTimeout: HANGS_MS,
      expect: { poll: { timeout: NEVER_TRUE_MS } },
      projects: [
        {
          extends: true,
          test: {
            name: 'unit',
            environment: 'node',
            include: ['src/**/*.test.ts', 'bench/**/*.test.ts'],
            exclude: ['**/*.gpu.test.ts'],
          },
        },
        {
          extends: true,
          // Found late by themselves, which would reload the page in the middle of a test.
          optimizeDeps: { include: ['client-zip', 'comlink', 'hash-wasm', 'idb-keyval', 'yaml'] },
          test: {
            name: 'gpu',
            include: ['src/**/*.gpu.test.ts'],
            fileParallelism: false,
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({
                launchOptions: { ...chromium, args: CHROMIUM_FLAGS },
              }),
              instances: [{ browser: 'chromium' }],
            },
          },
        },
      ],
    },
  }),
);
