/** Names of files for tasks, which may be called anything. */

/** Longest stem, in UTF-16 units: its file's path stays short enough for Windows. */
const MAX_LENGTH = 100;
/** And in bytes of UTF-8: names end at 255 on Linux, `.sparse.safetensors` and a number included. */
const MAX_BYTES = 220;

const ENCODER = new TextEncoder();

/** Names that the export's own files and folders have. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'merged',
  'model',
  'readme',
  'readme.md',
  'recipe',
  'recipe.json',
  'results',
  'results.json',
  'mergekit',
  'mergekit.yml',
  'merged.safetensors',
  'model.safetensors.index.json',
]);

/** Names that Windows keeps for devices, whatever comes behind a dot. */
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/;

/**
 * A stem a name, in their order: letters (of any script), digits, `.`, `_` and `-`; never empty, a
 * dot alone, hidden, reserved, or equal to another but for case.
 */
export function fileStems(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const stem = plainStem(name);
    let unique = stem;
    for (let n = 2; taken.has(key(unique)); n++) {
      const number = `-${n}`;
      unique = cut(stem, number.length) + number;
    }
    taken.add(key(unique));
    return unique;
  });
}

function plainStem(name: string): string {
  // Composed, as most file systems compare names; a mark that composes with nothing is a letter's.
  const safe = name.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-');
  // A dot in front hides a file; Windows drops dots at the end.
  const stem = cut(trim(safe)) || 'task';
  return isReserved(stem) ? cut(`task-${stem}`) : stem;
}

function trim(stem: string): string {
  return stem.replace(/^[.-]+|[.-]+$/g, '');
}

/** As much of the beginning as may be, with no half character or dot at its end. */
function cut(stem: string, reserved = 0): string {
  let [units, bytes] = [reserved, reserved];
  let end = 0;
  for (const character of stem) {
    units += character.length;
    bytes += ENCODER.encode(character).length;
    if (units > MAX_LENGTH || bytes > MAX_BYTES) return trim(stem.slice(0, end));
    end += character.length;
  }
  return stem;
}

function isReserved(stem: string): boolean {
  const lower = stem.toLowerCase();
  return OWN_NAMES.has(lower) || DEVICES.test(lower);
}

/** What file systems that ignore case compare. */
function key(stem: string): string {
  return stem.toLowerCase().normalize('NFC').toUpperCase();
}
