import { playwright } from '@vitest/browser-playwright';
import { defineConfig, mergeConfig, type TestProjectInlineConfiguration } from 'vitest/config';
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

/** Run in full Chromium, on whatever adapter it has: what needs a GPU, and parts of the page. */
const IN_BROWSER = ['src/**/*.gpu.test.ts', 'src/**/*.browser.test.ts'];
/** What takes minutes on a machine without a GPU: `npm run test:full`, as `kernels` below. */
const FULL = ['src/**/*.full.gpu.test.ts'];
/** There they run with all of onnxruntime's providers (src/evaluate/golden/providers.ts). */
const EVALUATORS = ['src/evaluate/**/*.gpu.test.ts'];
/**
 * Run in Node, too, through Dawn on another driver than Chromium's. In Chromium all files share their
 * modules, and so the engines that `useEngine` opened; Dawn's process survives one instance only.
 */
const KERNELS = ['src/kernels/**/*.gpu.test.ts'];

function inChromium(
  name: string,
  include: string[],
  {
    exclude = [],
    isolate = true,
    env = {},
  }: { exclude?: string[]; isolate?: boolean; env?: Record<string, string> } = {},
): TestProjectInlineConfiguration {
  return {
    extends: true,
    // Found late by themselves, which would reload the page in the middle of a test.
    optimizeDeps: { include: ['client-zip', 'comlink', 'hash-wasm', 'idb-keyval', 'yaml'] },
    test: {
      name,
      include,
      exclude,
      isolate,
      env,
      fileParallelism: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        connectTimeout: HANGS_MS,
        provider: playwright({ launchOptions: { ...chromium, args: CHROMIUM_FLAGS } }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

export default mergeConfig(
  viteConfig,
  defineConfig({
    test: {
      testTimeout: HANGS_MS,
      hookTimeout: HANGS_MS,
      expect: { poll: { timeout: NEVER_TRUE_MS } },
      maxWorkers: '100%',
      projects: [
        {
          extends: true,
          test: {
            name: 'unit',
            environment: 'node',
            // Half of the time went to loading modules anew for every file.
            isolate: false,
            include: ['src/**/*.test.ts', 'bench/**/*.test.ts'],
            exclude: IN_BROWSER,
          },
        },
        {
          extends: true,
          test: {
            name: 'dawn',
            environment: 'node',
            include: KERNELS,
            globalSetup: 'scripts/lavapipe.mjs',
            setupFiles: 'src/kernels/test-dawn.ts',
          },
        },
        inChromium('kernels', KERNELS, { isolate: false }),
        inChromium('gpu', IN_BROWSER, { exclude: [...FULL, ...KERNELS] }),
        inChromium('full', [...FULL, ...EVALUATORS], { env: { PERU_PROVIDERS: 'all' } }),
      ],
    },
  }),
);
