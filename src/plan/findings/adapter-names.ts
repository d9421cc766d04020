/** How adapters name the base's tensors, where that is not as the base does. */
import {
  type AdapterNameChange,
  type AdapterPlan,
  type PlannedAdapter,
} from '@/formats/lora/adapter-plan';
import { shortened } from '@/plan/names/name-changes';
import { type Finding } from '@/plan/preflight';
import { counted, finding, groupedBy, listed } from './finding';

export function adapterNameFindings({ adapters, adaptedNames }: AdapterPlan): Finding[] {
  return [
    ...layerFindings(adapters),
    ...prefixFindings(adapters),
    ...wrapperFindings(adapters),
    ...mergedFindings(adapters, adaptedNames),
  ];
}

/** Layers that have other names inside of their blocks; to look at unless both say what they are. */
function layerFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  const renamed = adapters.flatMap((adapter) => {
    const changes = adapter.nameChanges.filter(({ inLayers }) => inLayers);
    return changes.length > 0 ? [{ ...adapter, changes }] : [];
  });
  const keyOf = ({ changes, isSameKind }: (typeof renamed)[number]): string =>
    JSON.stringify([isSameKind, changes.map(({ from, to }) => [from, to])]);
  return groupedBy(renamed, keyOf).map((group) => {
    const [{ changes, isSameKind }] = group;
    const isOne = group.length === 1;
    return finding({
      level: isSameKind === true ? 'note' : 'warning',
      topic: 'names',
      title: `${listed(group.map(({ name }) => name))} ${isOne ? 'calls' : 'call'} layers otherwise than the base: ${listed(changes.map(asWords), 2)}.`,
      detail: `They are matched by their blocks, by all shapes and by what their names say.${isSameKind === true ? '' : ' Look whether the adapter was made for this base.'}`,
      names: changes.flatMap(({ names }) => names),
    });
  });
}

function asWords({ from, to }: AdapterNameChange): string {
  const name = (text: string): string => `“${text.replace(/\.$/, '').replaceAll('#', '…')}”`;
  return `${name(from)} for ${name(to)}`;
}

/** Prefixes in the place of others, each told once. */
function prefixFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  const all = adapters.flatMap(({ name, nameChanges }) =>
    nameChanges
      .filter(({ inLayers }) => !inLayers)
      .map((change) => ({ name, names: change.names, ...shortened(change) })),
  );
  return groupedBy(all, ({ from, to }) => JSON.stringify([from, to])).map((group) => {
    const [{ from, to }] = group;
    const adapterNames = [...new Set(group.map(({ name }) => name))];
    const names = [...new Set(group.flatMap((one) => one.names))];
    return finding({
      level: 'note',
      topic: 'names',
      title: `${listed(adapterNames)} ${adapterNames.length === 1 ? 'names' : 'name'} ${counted(names.length, 'tensor')} otherwise than the base${difference(from, to)}.`,
      detail: 'They are matched by name and shape, and written under the adapter’s own names.',
      names,
    });
  });
}

function difference(from: string, to: string): string {
  if (from === '') return `: without “${to}” before them`;
  if (to === '') return `: with “${from}” before them`;
  return `: “${from}” in the place of “${to}”`;
}

function wrapperFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  const wrapped = adapters.filter(({ wrappers }) => wrappers.length > 0);
  return groupedBy(wrapped, ({ wrappers }) => wrappers.join(' ')).map((group) =>
    finding({
      level: 'note',
      topic: 'names',
      title: `${listed(group.map(({ name }) => name))} ${group.length === 1 ? 'was' : 'were'} saved from a wrapped model: “${group[0].wrappers.join('” and “')}” in its names.`,
      detail: 'Compiling or spreading a model over devices puts it there; it is left out.',
    }),
  );
}

/** Adapters that were made for models of other names can not all be followed. */
function mergedFindings(
  adapters: readonly PlannedAdapter[],
  adaptedNames: AdapterPlan['adaptedNames'],
): Finding[] {
  if (adaptedNames.size > 0 || adapters.every(({ nameChanges }) => nameChanges.length === 0)) {
    return [];
  }
  return [
    finding({
      level: 'note',
      topic: 'names',
      title: 'The adapters were made for models of different names.',
      detail: 'Each is written under its own, the merged adapter under those of the base.',
    }),
  ];
}
