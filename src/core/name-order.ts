/** The order in which people count names. Pure. */

/** A fixed language: the order decides that of sums, and must not depend on the visitor's. */
const BY_COUNTING = new Intl.Collator('en', { numeric: true });

/** For sorting: `task2` before `task10`; what counts alike (`task2`, `task02`) by its characters. */
export function compareNames(one: string, other: string): number {
  return BY_COUNTING.compare(one, other) || Number(one > other) - Number(one < other);
}
