import { type Buffer } from 'node:buffer';
import { expect } from '@playwright/test';
import { goldenFiles } from './golden-files';

/** Tells how long each stage took, and on which adapter. */
const NEVER_THE_SAME = 'results.json';

/** The same input gives the same bytes as when `e2e/goldens` was written, on whatever adapter. */
export function expectGolden(name: string, entries: ReadonlyMap<string, Buffer>): void {
  const golden = goldenFiles(name);
  expect([...entries.keys()].sort()).toEqual([...golden.keys()].sort());
  for (const [path, bytes] of entries) {
    if (path === NEVER_THE_SAME) continue;
    expect(bytes.equals(golden.get(path)!), path).toBe(true);
  }
}
