/**
 * Globs over tensor names. Matched by hand rather than by a regular expression: nothing in a name
 * or a pattern is special but `*` and `?`, and the time is at most their lengths' product.
 */

/** Globs over tensor names of the base: `*` stands for any run of characters, `?` for one. */
export interface NamePatterns {
  /** Only names that match one of these are merged; none: all. */
  readonly include: readonly string[];
  /** Names that match one of these are not merged, whatever `include` says. */
  readonly exclude: readonly string[];
}

/** Whether the name is to be merged: some `include` matches, or there is none, and no `exclude`. */
export function matchesPatterns(name: string, { include, exclude }: NamePatterns): boolean {
  const included = usedPatterns(include);
  if (included.length > 0 && !included.some((glob) => matchesGlob(name, glob))) return false;
  return !usedPatterns(exclude).some((glob) => matchesGlob(name, glob));
}

/** The patterns that say something: an empty line is none. */
export function usedPatterns(patterns: readonly string[]): readonly string[] {
  return patterns.filter((glob) => glob.trim() !== '');
}

/** Whether the whole name fits: `*` stands for any run of characters, `?` for one. */
export function matchesGlob(name: string, glob: string): boolean {
  const text = Array.from(name);
  const pattern = Array.from(glob);
  let [at, next] = [0, 0];
  // Where the last star stands, and how much of the text it has taken: only that star is widened.
  let [star, taken] = [-1, 0];
  while (at < text.length) {
    if (pattern[next] === '*') {
      [star, taken] = [next, at];
      next++;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next++;
      at++;
    } else if (star >= 0) {
      taken++;
      [next, at] = [star + 1, taken];
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
