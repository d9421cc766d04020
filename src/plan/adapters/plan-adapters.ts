/**
 * The preflight of adapters: from the headers of a base and of LoRA adapters, decides which of the
 * base's tensors each module changes and how, or refuses by name, before a factor is read.
 */
import {
  type AdapterNameChange,
  type AdapterPlan,
  type OpenAdapter,
  type PlannedAdapter,
} from '@/formats/peft/adapter-plan';
import { sortedNames } from '@/formats/peft/merged-products';
import { adaptedNames } from './adapted-names';
import { layerOf } from './adapter-name-refusals';
import { matchNames, type NameMatch } from './adapter-names';
import { orientedModules, type Target } from './adapter-orientation';
import { checkBaseDtype, orientationOf } from './adapter-shapes';
import { readAdapterTensors, standsTwice } from './adapter-tensors';
import { type PlannedCheckpoint } from '@/plan/checkpoint-facts';
import { isKindOf } from '@/plan/model-kinds';
import { changer } from '@/plan/names/name-changes';
import { type ModelConfig } from '@/plan/tied-tensors';
import { wholeTensors, withoutOtherShapes } from './whole-tensors';

/**
 * Ranks may differ between adapters and between modules; whether the factors hold NaN is for the
 * engine to find.
 *
 * @param group.baseConfig of the base, where it has one: what kind of model it is
 * @throws PeruError `mismatch` for adapters without modules, of another base, incomplete, of other
 *   shapes or ranks; `unsupported` for DoRA, grouped convolutions, tensors of unknown meaning and
 *   dtypes Peru does not read
 */
export function planAdapters(group: {
  readonly base: PlannedCheckpoint;
  readonly adapters: readonly OpenAdapter[];
  readonly baseConfig?: ModelConfig;
}): AdapterPlan {
  const { base, baseConfig = null } = group;
  const adapters = withoutOtherShapes(
    group.adapters.map((adapter) => planAdapter(base, adapter, baseConfig)),
  );
  const weights = adapters.flatMap(({ modules }) => modules.map(({ weight }) => weight));
  const replaced = adapters.flatMap((adapter) => [...adapter.replaced.keys()]);
  return {
    adapters,
    adaptedWeights: sortedNames(new Set(weights)),
    replacedTensors: sortedNames(new Set(replaced)),
    adaptedNames: adaptedNames(adapters),
  };
}

function planAdapter(
  base: PlannedCheckpoint,
  adapter: OpenAdapter,
  baseConfig: ModelConfig,
): PlannedAdapter {
  const { factors, copies, wrappers } = readAdapterTensors(adapter);
  const isSameKind = isKindOf(adapter.config.modelClass, baseConfig);
  const changed = factors.map(({ module }) => `${module}.weight`);
  const match = matchNames({
    adapter: adapter.name,
    base: base.name,
    tensors: factors.map((one, i) => ({
      name: changed[i]!,
      fits: (name) => orientationOf(one, targetWeight(base, name)) !== null,
    })),
    copies: [...copies.keys()],
    baseNames: base.tensors.keys(),
    className: adapter.config.modelClass?.name ?? null,
    isOtherKind: isSameKind === false,
  });
  const targets = factors.map((one, i) => {
    const weight = targetWeight(base, match.baseName(changed[i]!)!);
    checkBaseDtype(base, weight.name);
    return { factors: one, weight };
  });
  checkOnce(adapter, targets);
  const modules = orientedModules(adapter, base.name, targets);
  const { baseName } = match;
  const { names, ...whole } = wholeTensors({ base, adapter, copies, changed, baseName });
  const stored = [...factors.flatMap(({ a, b }) => [a, b]), ...copies.values()];
  return {
    name: adapter.name,
    modules,
    copies,
    ...whole,
    names: new Map([...names, ...targets.map(nameOf)]),
    nameChanges: nameChanges(match, [...changed, ...names.values()]),
    isSameKind,
    wrappers,
    byteLength: adapter.weights.byteLength,
    parameterCount: stored.reduce((sum, { elementCount }) => sum + elementCount, 0),
  };
}

/** Names that differ in the parts of wrappers only may be one tensor's. */
function checkOnce(adapter: OpenAdapter, targets: readonly Target[]): void {
  const seen = new Set<string>();
  for (const { factors, weight } of targets) {
    if (seen.has(weight.name)) throw standsTwice(adapter, factors.module);
    seen.add(weight.name);
  }
}

function targetWeight({ tensors }: PlannedCheckpoint, name: string) {
  return { name, shape: tensors.get(name)!.shape };
}

function nameOf({ factors, weight }: Target): readonly [string, string] {
  return [weight.name, `${factors.module}.weight`];
}

/** Each change with the names it is for; those that change no name of the adapter are left out. */
function nameChanges({ changes }: NameMatch, names: readonly string[]): AdapterNameChange[] {
  const left = new Set(names);
  return changes.flatMap(({ from, to }) => {
    const change = changer({ from, to });
    const own = [...left].filter((name) => change(name) !== null);
    for (const name of own) left.delete(name);
    const inLayers = from.includes('#') && layerOf(from) !== '';
    return own.length > 0 ? [{ from, to, inLayers, names: own }] : [];
  });
}
