/** Guesses which of some checkpoints is the base the others were fine-tuned from. */
import { floatingNames, type PlannedCheckpoint } from './checkpoint-facts';
import { loneModel } from './plan-group';

export type BaseGuess =
  | { readonly kind: 'base'; readonly index: number }
  /** Names do not tell: the visitor chooses among these indices. */
  | { readonly kind: 'choose-base'; readonly candidates: readonly number[] };

const BASE_NAME = /(?:^|[^a-z])(?:base|pre-?trained)(?:[^a-z]|$)/i;

/**
 * The base holds every tensor its fine-tunes hold. Among those that do, the one with most
 * tensors wins; among equals, the only one whose name says base or pretrained. Otherwise the
 * candidates are returned for the visitor to choose from.
 *
 * @throws PeruError `mismatch` for fewer than two checkpoints
 */
export function guessBase(checkpoints: readonly PlannedCheckpoint[]): BaseGuess {
  if (checkpoints.length < 2) throw loneModel(checkpoints[0]?.name ?? 'No checkpoint');
  const names = checkpoints.map((checkpoint) => new Set(floatingNames(checkpoint)));
  const all = new Set(names.flatMap((own) => [...own]));
  // Names are subsets of `all`, so holding every other's names means holding as many as `all`.
  const supersets = checkpoints.map((_, i) => i).filter((i) => names[i]!.size === all.size);
  if (supersets.length === 1) return { kind: 'base', index: supersets[0]! };
  const candidates = supersets.length > 0 ? supersets : checkpoints.map((_, i) => i);
  const named = candidates.filter((i) => BASE_NAME.test(lastPart(checkpoints[i]!.name)));
  if (named.length === 1) return { kind: 'base', index: named[0]! };
  return { kind: 'choose-base', candidates };
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
