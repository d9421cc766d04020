import { browserPlatform } from '@/platform/browser/browser-platform';
import { memoryStore } from './memory-store.fixture';
import { type JobOptions, type Platform } from './platform';

/** The machine that the tests run on, with exports in memory. */
export function testPlatform(exports = memoryStore()): Platform {
  return { ...browserPlatform(), exports };
}

export const TEST_OPTIONS: JobOptions = { platform: testPlatform() };
