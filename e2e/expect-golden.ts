import { type Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';

/** Tells how long each stage took, and on which adapter. */
const NEVER_THE_SAME = 'results.json';

/** The same input gives the same bytes as when `e2e/goldens` was written, on whatever adapter. */
export function expectGolden(name: string, entries: ReadonlyMap<string, Buffer>): void {
  const folder = join('e2e/goldens', name);
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  expect([...entries.keys()].sort()).toEqual(paths.sort());
  for (const [path, bytes] of entries) {
    if (path === NEVER_THE_SAME) continue;
    expect(bytes.equals(readFileSync(join(folder, path))), path).toBe(true);
  }
}
