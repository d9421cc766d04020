/** Lists of names in messages, which stay short. */

const SHOWN = 3;

/** `a, b, c and 2 more`. */
export function listFew(names: readonly string[]): string {
  const first = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${first} and ${names.length - SHOWN} more` : first;
}

/** `"a", "b", "c" and 2 more`: names that a file holds. */
export function listNames(names: readonly string[]): string {
  return listFew(names.map((name) => `"${name}"`));
}
