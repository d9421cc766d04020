/** Name patterns for tensors that a merge can go on without. */
import { matchesGlob } from '@/plan/names/name-patterns';

/**
 * Patterns that match these names and no other: one for what differs in its indices alone, as the
 * layers' tensors do, where every layer has it.
 *
 * @param all the base's names
 */
export function leaveOut(names: readonly string[], all: readonly string[]): readonly string[] {
  const wanted = new Set(names);
  const globs = names.map((name) => {
    const glob = name.replace(/(?<=^|\.)\d+(?=\.|$)/g, '*');
    const matched = all.filter((one) => matchesGlob(one, glob));
    return matched.every((one) => wanted.has(one)) ? glob : name;
  });
  return [...new Set(globs)];
}
