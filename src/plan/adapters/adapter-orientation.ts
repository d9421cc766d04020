/**
 * Which way round updates lie in square weights, whose shapes do not show whether they are stored
 * [out, in], as linear layers, or [in, out], as GPT-2's Conv1D.
 */
import { type AdapterModule } from '@/formats/lora/adapter-plan';
import { type LoraAdapter, type LoraModule } from '@/formats/lora/lora-adapter';
import { sortedNames } from '@/formats/lora/merged-products';
import { PeruError } from '@/core/errors';
import { type PlannedCheckpoint } from '@/plan/checkpoint-facts';
import {
  doesNotFit,
  moduleOf,
  type Orientation,
  orientationOf,
  type TargetWeight,
} from './adapter-shapes';
import { hasBias, storedOrientations } from './stored-orientation';

export interface Target {
  readonly module: LoraModule;
  readonly weight: TargetWeight;
}

/**
 * Every module the right way round, sorted bytewise by weight. PEFT's `fan_in_fan_out` speaks of
 * the module it replaced last only, so for square weights the other modules are asked first: those
 * of the same name, then all; where none of them shows it the configuration, or the base where the
 * format has no such field.
 *
 * @throws PeruError `mismatch` for shapes that do not fit, `unsupported` for a square weight of
 *   which none of this tells
 */
export function orientedModules(
  adapter: LoraAdapter,
  base: PlannedCheckpoint,
  targets: readonly Target[],
): AdapterModule[] {
  const seen = targets.map((target) => {
    const orientation = orientationOf(target.module, target.weight);
    if (orientation === null)
      throw doesNotFit(adapter.name, target.module, base.name, target.weight);
    const isTable = isTableOf(base, target, orientation);
    return { ...target, orientation, isTable, kind: lastPart(target.module.path) };
  });
  const ofAll = new Set<Orientation>();
  const ofKind = new Map<string, Set<Orientation>>();
  for (const { orientation, weight, isTable, kind } of seen) {
    if (orientation === 'either' || isTable || weight.shape.length > 2) continue;
    ofAll.add(orientation);
    ofKind.set(kind, (ofKind.get(kind) ?? new Set()).add(orientation));
  }
  if (ofAll.size === 0) for (const one of toldOtherwise(adapter, base)) ofAll.add(one);
  const modules = new Map<string, AdapterModule>();
  for (const { orientation, module, weight, isTable, kind } of seen) {
    const known = orientation === 'either' ? (only(ofKind.get(kind)) ?? only(ofAll)) : orientation;
    if (known === null) throw unknownOrientation(adapter, module.path);
    modules.set(weight.name, moduleOf(module, weight, { turned: known === 'turned', isTable }));
  }
  return sortedNames(modules.keys()).map((name) => modules.get(name)!);
}

/**
 * Whether the weight is a table, whose change is always the transpose: as the format says, or where it
 * does not, by its inputs being the rows of what has no bias. Layers stored [in, out] have one.
 */
function isTableOf(
  base: PlannedCheckpoint,
  { module, weight }: Target,
  orientation: Orientation,
): boolean {
  return module.isEmbedding ?? (orientation === 'turned' && !hasBias(base, weight.name));
}

/** What is known where no module shows it; all but GPT-2 and its kin store [out, in]. */
function toldOtherwise(
  { metadata: { isFanInFanOut } }: LoraAdapter,
  base: PlannedCheckpoint,
): Iterable<Orientation> {
  if (isFanInFanOut !== null) return [isFanInFanOut ? 'turned' : 'plain'];
  const stored = storedOrientations(base);
  return stored.size > 0 ? stored : ['plain'];
}

/** The one orientation there is; null when there are none, or two. */
function only(orientations: ReadonlySet<Orientation> | undefined): Orientation | null {
  return orientations?.size === 1 ? [...orientations][0]! : null;
}

function lastPart(module: string): string {
  return module.slice(module.lastIndexOf('.') + 1);
}

function unknownOrientation({ name }: LoraAdapter, path: string): PeruError {
  return new PeruError(
    'unsupported',
    `${name} adapts weights stored [out, in] and [in, out], and "${path}" is square: which way round its update lies can not be told.`,
    'Merge the adapter into its base with the program that trained it (merge_and_unload in PEFT, mlx_lm.fuse) and add the full model.',
  );
}
