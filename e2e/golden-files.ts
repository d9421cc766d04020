import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of an export as it was once written, by their paths inside it. */
export function goldenFiles(name: string): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const folder = join('e2e/goldens', name);
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    paths.map((path) => [path.slice(folder.length + 1), new Uint8Array(readFileSync(path))]),
  );
}
