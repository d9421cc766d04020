// The page's weight is a budget: the JavaScript that first paint needs, gzipped, and the fonts, which
// are compressed as they are, at most 200 kB together.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from './setup.mjs';

const BUDGET_BYTES = 200_000;
const DIST = join(ROOT, 'dist');

const html = readFileSync(join(DIST, 'index.html'), 'utf8');
const entries = linked('js');
const fonts = linked('woff2');
const scripts = new Set();
entries.forEach(collect);

let total = 0;
for (const path of scripts) count(gzipSync(readFileSync(join(DIST, path))), 'gzipped', path);
for (const path of fonts) count(readFileSync(join(DIST, path)), 'as it is', path);
console.log(
  `${total.toLocaleString('en').padStart(9)} B of ${BUDGET_BYTES.toLocaleString('en')} B at first paint`,
);
if (entries.length === 0 || fonts.length === 0 || total > BUDGET_BYTES) {
  console.error(
    'The page is over its budget (or has no script, or preloads no font): load what first paint ' +
      'does not need lazily.',
  );
  process.exitCode = 1;
}

/** What index.html itself asks for. */
function linked(extension) {
  const links = html.matchAll(new RegExp(`(?:src|href)="\\./([^"]+\\.${extension})"`, 'g'));
  return [...links].map(([, path]) => path);
}

function count({ byteLength }, form, path) {
  total += byteLength;
  console.log(`${byteLength.toLocaleString('en').padStart(9)} B ${form}  ${path}`);
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
