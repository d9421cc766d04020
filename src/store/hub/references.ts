/** The list of repos to open, as texts. What they mean is told when they are opened. Pure. */

/** What was typed or pasted, one repo each: blanks, line breaks and commas part them. */
export function splitReferences(text: string): readonly string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== '');
}

/** Adds what is not there yet, in order. */
export function addReferences(
  present: readonly string[],
  added: readonly string[],
): readonly string[] {
  return [...new Set([...present, ...added])];
}

/** Puts another reference in the place of one; at the end, where that one is gone. */
export function replaceReference(
  present: readonly string[],
  old: string | undefined,
  next: string,
): readonly string[] {
  const replaced = present.map((one) => (one === old ? next : one));
  return addReferences([], [...replaced, next]);
}
