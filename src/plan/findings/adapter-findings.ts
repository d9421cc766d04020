import { type AdapterPlan, type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { type ModelFacts } from '@/plan/model-facts';
import { type Finding } from '@/plan/preflight';
import { headFindings, tiedFindings, vocabularyFindings } from './adapter-heads';
import { adapterNameFindings } from './adapter-names';
import { byLevel, counted, finding, groupedBy, listed } from './finding';
import { licenceFindings } from './licences';

/**
 * What is to say of a group of adapters: warnings, notes, what is well.
 *
 * @param group.models the base, then the adapters, in the order of the plan
 * @param group.trainedOn per adapter, `base_model_name_or_path` of its configuration, or null
 * @param group.baseId what the base is called where it comes from, e.g. `google/flan-t5-base`
 */
export function adapterFindings(group: {
  readonly plan: AdapterPlan;
  readonly models: readonly ModelFacts[];
  readonly trainedOn: readonly (string | null)[];
  readonly baseId: string;
}): Finding[] {
  const { plan, models, trainedOn, baseId } = group;
  return byLevel([
    ...baseFindings(plan, trainedOn, baseId),
    ...adapterNameFindings(plan),
    ...vocabularyFindings(plan.adapters),
    ...copyFindings(plan.adapters),
    ...headFindings(plan.adapters),
    ...tiedFindings(plan.adapters),
    ...moduleFindings(plan),
    ...rankFindings(plan.adapters),
    ...licenceFindings(models),
  ]);
}

/** Adapters whose configuration names another base than the one that is open. */
function baseFindings(
  { adapters }: AdapterPlan,
  trainedOn: readonly (string | null)[],
  baseId: string,
): Finding[] {
  const told = adapters.map(({ name }, index) => ({ name, base: trainedOn[index] ?? null }));
  const strange = told.filter(({ base }) => base !== null && lastPart(base) !== lastPart(baseId));
  return groupedBy(strange, ({ base }) => base ?? '').map((group) =>
    finding({
      level: 'note',
      topic: 'architecture',
      title: `${listed(group.map(({ name }) => name))} ${group.length === 1 ? 'was' : 'were'} trained on “${group[0].base ?? ''}”.`,
      detail: `The base is ${baseId}. The shapes fit; look whether it is the same model under another name.`,
    }),
  );
}

/** Folders and repos are told apart by their own name: owners and paths change with copies. */
function lastPart(id: string): string {
  const path = id.replace(/@.*$/, '').replace(/[/\\]+$/, '');
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1).toLowerCase();
}

/** Tensors that adapters bring whole: biases, heads, embeddings. */
function copyFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  const bringing = adapters.filter(({ replaced }) => replaced.size > 0);
  return groupedBy(bringing, ({ replaced }) => JSON.stringify([...replaced.keys()])).map(
    (group) => {
      const names = [...group[0].replaced.keys()];
      return finding({
        level: 'note',
        topic: 'own-tensors',
        title: `${listed(group.map(({ name }) => name))} ${group.length === 1 ? 'brings' : 'bring'} ${counted(names.length, 'tensor')} whole.`,
        detail: 'Each is kept as it is beside the adapter; no rank changes it.',
        names,
      });
    },
  );
}

function moduleFindings({ adapters, adaptedWeights }: AdapterPlan): Finding[] {
  const count = adaptedWeights.length;
  const isSame = adapters.every(({ modules }) => modules.length === count);
  const title = isSame
    ? `All ${counted(adapters.length, 'adapter')} change the same ${counted(count, 'weight')} of the base.`
    : `${counted(adapters.length, 'adapter')} change ${counted(count, 'weight')} of the base, not all of them the same.`;
  const some = adapters.filter(({ modules }) => modules.length < count);
  const told = some.map(({ name, modules }) => `${name} ${counted(modules.length, 'weight')}`);
  return [
    finding({
      level: isSame ? 'ok' : 'note',
      topic: 'tensors',
      title,
      detail: isSame ? '' : `${listed(told)}. What an adapter does not change counts as no change.`,
    }),
  ];
}

function rankFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  const ranks = new Set(adapters.flatMap(({ modules }) => modules.map(({ rank }) => rank)));
  if (ranks.size < 2) return [];
  const [least, most] = [Math.min(...ranks), Math.max(...ranks)];
  return [
    finding({
      level: 'note',
      topic: 'tensors',
      title: `Ranks differ: from ${least} to ${most}.`,
      detail: 'Each module is factorised at its own rank.',
    }),
  ];
}
