/**
 * Which way round updates lie in square weights, whose shapes do not show whether they are stored
 * [out, in], as linear layers, or [in, out], as GPT-2's Conv1D.
 */
import { type AdapterModule } from '@/formats/lora/adapter-plan';
import { type LoraAdapter, type LoraModule } from '@/formats/lora/lora-adapter';
import { sortedNames } from '@/formats/lora/merged-products';
import { PeruError } from '@/core/errors';
import {
  doesNotFit,
  moduleOf,
  type Orientation,
  orientationOf,
  type TargetWeight,
} from './adapter-shapes';

export interface Target {
  readonly module: LoraModule;
  readonly weight: TargetWeight;
}

/**
 * Every module the right way round, sorted bytewise by weight. PEFT's `fan_in_fan_out` speaks of
 * the module it replaced last only, so for square weights the other modules are asked first: those
 * of the same name, then all; the configuration where none of them shows it.
 *
 * @throws PeruError `mismatch` for shapes that do not fit, `unsupported` for a square weight of
 *   which none of this tells
 */
export function orientedModules(
  adapter: LoraAdapter,
  baseName: string,
  targets: readonly Target[],
): AdapterModule[] {
  const seen = targets.map((target) => {
    const orientation = orientationOf(target.module, target.weight);
    if (orientation === null)
      throw doesNotFit(adapter.name, target.module, baseName, target.weight);
    return { ...target, orientation, kind: lastPart(target.module.path) };
  });
  const ofAll = new Set<Orientation>();
  const ofKind = new Map<string, Set<Orientation>>();
  for (const { orientation, module, weight, kind } of seen) {
    if (orientation === 'either' || module.isEmbedding || weight.shape.length > 2) continue;
    ofAll.add(orientation);
    ofKind.set(kind, (ofKind.get(kind) ?? new Set()).add(orientation));
  }
  if (ofAll.size === 0) ofAll.add(adapter.metadata.isFanInFanOut ? 'turned' : 'plain');
  const modules = new Map<string, AdapterModule>();
  for (const { orientation, module, weight, kind } of seen) {
    const known = orientation === 'either' ? (only(ofKind.get(kind)) ?? only(ofAll)) : orientation;
    if (known === null) throw unknownOrientation(adapter, module.path);
    modules.set(weight.name, moduleOf(module, weight, known === 'turned'));
  }
  return sortedNames(modules.keys()).map((name) => modules.get(name)!);
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
    'Merge the adapter into its base with merge_and_unload in PEFT and add the full model.',
  );
}
