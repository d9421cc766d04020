// The page's weight is a budget: JavaScript needed for first paint, gzipped, at most 200 kB.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from './setup.mjs';

const BUDGET_BYTES = 200_000;
const DIST = join(ROOT, 'dist');

const html = readFileSync(join(DIST, 'index.html'), 'utf8');
const entries = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.js)"/g)].map(([, path]) => path);
const scripts = new Set();
entries.forEach(collect);

let total = 0;
for (const path of scripts) {
  const bytes = gzipSync(readFileSync(join(DIST, path))).byteLength;
  total += bytes;
  console.log(`${bytes.toLocaleString('en').padStart(9)} B gzipped  ${path}`);
}
console.log(
  `${total.toLocaleString('en').padStart(9)} B of ${BUDGET_BYTES.toLocaleString('en')} B at first paint`,
);
if (entries.length === 0 || total > BUDGET_BYTES) {
  console.error(
    'The page is over its budget (or has no script): load what first paint does not need lazily.',
  );
  process.exitCode = 1;
}

/** Follows static imports; dynamic ones load later. */
function collect(path) {
  if (scripts.has(path)) return;
  scripts.add(path);
  const source = readFileSync(join(DIST, path), 'utf8');
  for (const [, imported] of source.matchAll(
    /(?:^|[;}\n])import(?:[^"'();]*?from)?\s*["'](\.[^"']+)["']/g,
  )) {
    collect(join(dirname(path), imported));
  }
}
