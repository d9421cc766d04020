import { playwright } from '@vitest/browser-playwright';
import { defineConfig, mergeConfig } from 'vitest/config';
import { CHROMIUM_FLAGS, findChromium } from './scripts/chromium.mjs';
import viteConfig from './vite.config.ts';

/** Unit tests need no browser: only the GPU project complains where there is none. */
const executablePath = findChromium();
const chromium = executablePath === null ? {} : { executablePath };

/** Unit tests run in Node; `*.gpu.test.ts` run in full Chromium, on whatever adapter it has. */
export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
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
            testTimeout: 120_000,
            hookTimeout: 120_000,
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
