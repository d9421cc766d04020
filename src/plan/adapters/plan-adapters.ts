/**
 * The preflight of adapters: from the headers of a base and of LoRA adapters, decides which of the
 * base's tensors each module changes and how, or refuses by name, before a factor is read.
 */
import {
  type AdapterNameChange,
  type AdapterPlan,
  type PlannedAdapter,
} from '@/formats/lora/adapter-plan';
import { type LoraAdapter } from '@/formats/lora/lora-adapter';
import { sortedNames } from '@/formats/lora/merged-products';
import { adaptedNames } from './adapted-names';
import { layerOf } from './adapter-name-refusals';
import { matchNames, type NameMatch } from './adapter-names';
import { orientedModules, type Target } from './adapter-orientation';
import { checkBaseDtype, orientationOf } from './adapter-shapes';
import { standsTwice } from '@/formats/lora/stands-twice';
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
 * @throws PeruError `mismatch` for adapters of another base or of other shapes; `unsupported` for
 *   grouped convolutions and dtypes of the base that Peru does not read
 */
export function planAdapters(group: {
  readonly base: PlannedCheckpoint;
  readonly adapters: readonly LoraAdapter[];
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
  adapter: LoraAdapter,
  baseConfig: ModelConfig,
): PlannedAdapter {
  const { modules: own, copies, wrappers, metadata } = adapter;
  const isSameKind = isKindOf(metadata.modelClass, baseConfig);
  const changed = own.map(({ path }) => `${path}.weight`);
  const match = matchNames({
    adapter: adapter.name,
    base: base.name,
    tensors: own.map((one, i) => ({
      name: changed[i]!,
      fits: (name) => orientationOf(one, targetWeight(base, name)) !== null,
    })),
    copies: [...copies.keys()],
    baseNames: base.tensors.keys(),
    className: metadata.modelClass?.name ?? null,
    isOtherKind: isSameKind === false,
  });
  const targets = own.map((module, i) => {
    const weight = targetWeight(base, match.baseName(changed[i]!)!);
    checkBaseDtype(base, weight.name);
    return { module, weight };
  });
  checkOnce(adapter, targets);
  const modules = orientedModules(adapter, base, targets);
  const { baseName } = match;
  const { names, ...whole } = wholeTensors({ base, adapter, changed, baseName });
  const stored = [...own.flatMap(({ a, b }) => [a, b]), ...copies.values()];
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
function checkOnce(adapter: LoraAdapter, targets: readonly Target[]): void {
  const seen = new Set<string>();
  for (const { module, weight } of targets) {
    if (seen.has(weight.name)) throw standsTwice(adapter.name, module.path);
    seen.add(weight.name);
  }
}

function targetWeight({ tensors }: PlannedCheckpoint, name: string) {
  return { name, shape: tensors.get(name)!.shape };
}

function nameOf({ module, weight }: Target): readonly [string, string] {
  return [weight.name, `${module.path}.weight`];
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
