// npm run fonts: cuts the page's typefaces out of the packages they come in, into src/ui/fonts/.
// What it writes is committed; run it again after a change here or of a package's version.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import subsetFont from 'subset-font';
import { ROOT } from './setup.mjs';

const PACKAGES = join(ROOT, 'node_modules');
const INTER = 'inter-ui';
const STIX = '@fontsource-variable/stix-two-text';
const OUT = join(ROOT, 'src/ui/fonts');

const LETTERS = `${span('A', 'Z')}${span('a', 'z')}`;
const LATIN = `${span(' ', '~')}${span('\u00a0', 'ÿ')}‐‑‒–—‘’‚“”„†•…‰‹›€−ˆ˜`;
/** What the page's texts and formulas use, and their neighbours. */
const SYMBOLS = `${span('Α', 'Ρ')}${span('Σ', 'Ω')}${span('α', 'ω')}₀₁₂₃₄₅₆₇₈₉ₘₜ←↑→↓≈≠≤≥√∞‖✓▶▼`;

/** Bold is the heaviest that the page sets. */
const WEIGHTS = { min: 400, max: 700 };

/** Where its glyphs come from, and what is left of them: characters, features, axes. */
const FACES = {
  'inter.woff2': {
    source: `${INTER}/variable/InterVariable.woff2`,
    text: LATIN + SYMBOLS,
    // Tabular figures for tables and sliders. Contextual forms would redraw file names ("2x2", "->").
    keepFeatures: ['kern', 'mark', 'ccmp', 'locl', 'tnum'],
    variationAxes: { wght: WEIGHTS, opsz: 14 },
  },
  'stix.woff2': {
    source: `${STIX}/files/stix-two-text-latin-wght-normal.woff2`,
    text: LATIN,
    keepFeatures: ['kern'],
    variationAxes: { wght: WEIGHTS },
  },
  'stix-sigma.woff2': {
    source: `${STIX}/files/stix-two-text-greek-wght-normal.woff2`,
    text: 'Σ',
    keepFeatures: [],
    variationAxes: { wght: 400 },
  },
  'stix-italic.woff2': {
    source: `${STIX}/files/stix-two-text-latin-wght-italic.woff2`,
    text: `${LETTERS}ˆ`,
    keepFeatures: ['kern'],
    variationAxes: { wght: 400 },
  },
  'stix-italic-theta.woff2': {
    source: `${STIX}/files/stix-two-text-greek-wght-italic.woff2`,
    text: 'θ',
    keepFeatures: [],
    variationAxes: { wght: 400 },
  },
};

/** Copyright, licence and its address stay in the files. */
const NAMES_KEPT = [0, 13, 14];

for (const [name, { source, text, ...cut }] of Object.entries(FACES)) {
  const font = await subsetFont(readFileSync(join(PACKAGES, source)), text, {
    ...cut,
    targetFormat: 'woff2',
    preserveNameIds: NAMES_KEPT,
    noHinting: true,
  });
  writeFileSync(join(OUT, name), font);
  console.log(`${font.byteLength.toLocaleString('en').padStart(9)} B  ${name}`);
}
copyFileSync(join(PACKAGES, INTER, 'LICENSE.txt'), join(OUT, 'LICENSE-Inter.txt'));
copyFileSync(join(PACKAGES, STIX, 'LICENSE'), join(OUT, 'LICENSE-STIX.txt'));

/** Every character from one to another. */
function span(first, last) {
  const from = first.codePointAt(0);
  const length = last.codePointAt(0) - from + 1;
  return String.fromCodePoint(...Array.from({ length }, (_, i) => from + i));
}
