import { type GroupPlan } from '@/plan/plan-group';
import { type PrefixChange } from '@/plan/name-prefix';
import { type Finding } from '@/plan/preflight';
import { counted, finding, groupedBy, listed } from './finding';

/** Fine-tunes whose files name tensors otherwise than the base does. */
export function nameFindings({ storedNames, details }: GroupPlan): Finding[] {
  const renamed = storedNames
    .map((names, index) => ({
      name: details.names[index]!,
      change: details.prefixes[index]!,
      names: [...names.values()],
    }))
    .filter(({ names }) => names.length > 0);
  return groupedBy(renamed, ({ change, names }) => JSON.stringify([change, names])).map((group) => {
    const [{ change, names }] = group;
    return finding({
      level: 'note',
      topic: 'names',
      title: `${listed(group.map(({ name }) => name))} ${group.length === 1 ? 'names' : 'name'} ${counted(names.length, 'tensor')} otherwise than the base${difference(change)}.`,
      detail: 'They are matched by name and shape, and merged under the names of the base.',
      names,
    });
  });
}

function difference({ from, to }: PrefixChange): string {
  if (from === '' && to === '') return '';
  if (from === '') return `: without “${to}” before them`;
  if (to === '') return `: with “${from}” before them`;
  return `: “${from}” in the place of “${to}”`;
}
