/**
 * From so many entries on a list is a table, or scrolls by itself, so that what follows it stays in
 * reach: one more than the papers' groups have tasks.
 */
export const MANY = 9;

interface ScrollingList {
  readonly 'data-many': true;
  readonly tabIndex: 0;
  readonly 'aria-label': string;
}

/** Attributes of a list that scrolls once it is long: the keyboard scrolls only what it can reach. */
export function whenMany(entries: number, name: string): ScrollingList | Record<string, never> {
  return entries < MANY ? {} : { 'data-many': true, tabIndex: 0, 'aria-label': name };
}
