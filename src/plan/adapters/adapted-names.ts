import { type AdapterNameChange, type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { backwards, changer } from '@/plan/names/name-changes';

/**
 * The names of the base's tensors in the model that all adapters were made for, by the base's;
 * empty where two adapters name a tensor otherwise, or would: then no one model has all the names.
 */
export function adaptedNames(adapters: readonly PlannedAdapter[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const adapter of adapters) {
    for (const [base, own] of adapter.names) {
      if ((names.get(base) ?? own) !== own) return new Map();
      names.set(base, own);
    }
  }
  for (const { nameChanges } of adapters) {
    const rename = naming(nameChanges);
    for (const [base, own] of names)
      if (rename(base) !== null && rename(base) !== own) return new Map();
  }
  return names;
}

/** What an adapter of these changes would call a tensor of the base; null where they do not say. */
function naming(changes: readonly AdapterNameChange[]): (baseName: string) => string | null {
  const changers = changes
    .map(backwards)
    .sort((a, b) => b.from.length - a.from.length)
    .map(changer);
  return (name) => {
    for (const change of changers) {
      const found = change(name);
      if (found !== null) return found;
    }
    return null;
  };
}
