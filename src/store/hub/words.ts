/** The word that is being typed at the end of a list of repos. Pure. */

/** Fewer letters than this fit nearly everything. */
const LEAST_LETTERS = 2;
/** Of a name or `owner/name`: addresses, revisions and folders are typed out. */
const PART_OF_A_NAME = /^[\w.-]+(?:\/[\w.-]*)?$/;

/** Where the last word starts: behind the last blank, line break or comma. */
export function lastWordStart(text: string): number {
  return text.search(/[^\s,;]*$/);
}

/** The part of a name to look for; null where the end of the text is none. */
export function wordToFind(text: string): string | null {
  const word = text.slice(lastWordStart(text));
  return word.length >= LEAST_LETTERS && PART_OF_A_NAME.test(word) ? word : null;
}

/**
 * Whether a name came whole, pasted or filled in, rather than letter by letter: then it is taken
 * as it stands.
 */
export function cameWhole(before: string, after: string): boolean {
  const added = after.length - before.length;
  return added > 1 && after.slice(lastWordStart(after)).includes('/');
}
