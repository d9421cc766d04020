import { browserPlatform } from '@/platform/browser/browser-platform';
import { memoryStore } from './memory-store.fixture';
import { type JobOptions, type Platform } from './platform';

/**
 * The machine that the tests run on, with exports in memory. What runs in a browser does so for its
 * WebGPU, a software adapter's; in Node the processor computes.
 */
export function testPlatform(exports = memoryStore()): Platform {
  const platform = browserPlatform();
  return {
    ...platform,
    exports,
    chooseEngine: (asked) => platform.chooseEngine(asked === 'auto' ? 'gpu' : asked),
  };
}

export const TEST_OPTIONS: JobOptions = { platform: testPlatform() };
