import { type Renaming } from '@/plan/named-view';
import { type GroupPlan } from '@/plan/plan-group';
import { type PrefixChange } from '@/plan/names/name-prefix';
import { type Finding } from '@/plan/preflight';
import { counted, finding, groupedBy, listed } from './finding';

interface Renamed {
  readonly name: string;
  readonly renaming: Renaming;
  /** The base's names of what is called otherwise in the file -> its names there. */
  readonly stored: ReadonlyMap<string, string>;
}

/** Fine-tunes whose files name tensors otherwise than the base does. */
export function nameFindings(plan: GroupPlan): Finding[] {
  const { storedNames, details } = plan;
  const renamed = storedNames
    .map((stored, index) => ({
      name: details.names[index]!,
      renaming: details.renamings[index]!,
      stored,
    }))
    .filter(({ stored }) => stored.size > 0);
  const key = ({ renaming, stored }: Renamed): string => JSON.stringify([renaming, [...stored]]);
  return groupedBy(renamed, key).flatMap((group) => {
    const [{ renaming, stored }] = group;
    const who = listed(group.map(({ name }) => name));
    const verb = group.length === 1 ? 'names' : 'name';
    return [
      ...byPrefix(`${who} ${verb}`, renaming, stored),
      ...byStructure(`${who} ${verb}`, renaming, stored),
    ];
  });
}

function byPrefix(
  whoNames: string,
  { changes, byStructure: guessed }: Renaming,
  stored: ReadonlyMap<string, string>,
): Finding[] {
  const known = new Set(guessed);
  const names = [...stored.values()].filter((name) => !known.has(name));
  if (names.length === 0) return [];
  const how = changes.map(difference).join('; ');
  return [
    finding({
      level: 'note',
      topic: 'names',
      title: `${whoNames} ${counted(names.length, 'tensor')} otherwise than the base${how === '' ? '' : `: ${how}`}.`,
      detail: 'They are matched by name and shape, and merged under the names of the base.',
      names,
    }),
  ];
}

/** What only shapes and the order of layers tell: shown pair by pair, to be looked at. */
function byStructure(
  whoNames: string,
  { byStructure: guessed }: Renaming,
  stored: ReadonlyMap<string, string>,
): Finding[] {
  const known = new Set(guessed);
  const names = [...stored]
    .filter(([, name]) => known.has(name))
    .map(([base, name]) => `${name} is ${base}`);
  if (names.length === 0) return [];
  return [
    finding({
      level: 'warning',
      topic: 'names',
      title: `${whoNames} ${counted(names.length, 'tensor')} as another version of the library does.`,
      detail:
        'They are matched by their shapes, the order of their layers and what they do there, and merged under the names of the base. Look whether the pairs are right.',
      names,
    }),
  ];
}

function difference({ from, to }: PrefixChange): string {
  if (from === '') return `without “${to}” before them`;
  if (to === '') return `with “${from}” before them`;
  return `“${from}” in the place of “${to}”`;
}
