/** Names for a message: the first few in quotes, then how many more there are. */
export function listNames(names: readonly string[], shown = 3): string {
  const first = names.slice(0, shown).map((name) => `"${name}"`);
  const rest = names.length - first.length;
  return rest > 0 ? `${first.join(', ')} and ${rest} more` : first.join(', ');
}
