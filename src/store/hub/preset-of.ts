/** Knows a preset by its repos, however they came onto the list: clicked, typed or by a link. Pure. */
import { PRESETS } from '@/sources/presets';

/**
 * Id of the preset whose base and tasks, one at least, are among these references, at whatever
 * revision; null where there is none.
 */
export function presetOfRepos(references: readonly string[]): string | null {
  const listed = new Set(references.map(repoOf));
  const found = PRESETS.find(({ base, tasks }) => {
    return listed.has(repoOf(base)) && tasks.some(({ ref }) => listed.has(repoOf(ref)));
  });
  return found?.id ?? null;
}

/** `owner/name` of a reference, which the Hub spells in one case only. */
function repoOf(reference: string): string {
  return reference.replace(/@.*/, '').toLowerCase();
}
