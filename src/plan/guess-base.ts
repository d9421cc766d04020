/** Guesses which of some checkpoints is the base the others were fine-tuned from. */
import { PeruError } from '@/tensor/errors';
import { floatingNames, type PlannedCheckpoint } from './checkpoint-facts';
import { loneModel } from './group-refusals';
import { taskView } from './named-view';
import { isFloating } from './sort-tensors';

export type BaseGuess =
  | { readonly kind: 'base'; readonly index: number }
  /** Names do not tell: the visitor chooses among these indices. */
  | { readonly kind: 'choose-base'; readonly candidates: readonly number[] };

const BASE_NAME = /(?:^|[^a-z])(?:base|pre-?trained)(?:[^a-z]|$)/i;
/** Put on top of a model for one task. */
const TASK_HEAD =
  /(?:^|\.)(?:classifier|pre_classifier|classification_head|score|qa_outputs|heads?)\./;
/** Comes and goes with the class a model is saved with, and says nothing of its body. */
const OTHER_HEAD =
  /(?:^|\.)(?:cls|lm_head|pooler|vocab_\w+|generator_\w+|embed_out|(?:encoder|decoder)\.embed_tokens)\./;
/** Of two checkpoints, one with a head and one without, either may be the base. */
const LEAST_FOR_HEADS = 3;

/**
 * The base holds the whole body of every fine-tune: heads are not counted, and differences of
 * prefix do not matter. Among those that do, the only one without a task's head wins, where all
 * others have one; else the only one whose name says base or pretrained. Otherwise the candidates
 * are returned for the visitor to choose from.
 *
 * @throws PeruError `mismatch` for fewer than two checkpoints
 */
export function guessBase(checkpoints: readonly PlannedCheckpoint[]): BaseGuess {
  if (checkpoints.length < 2) throw loneModel(checkpoints[0]?.name ?? 'No checkpoint');
  const names = comparableNames(checkpoints);
  const bodies = names.map((all) => new Set(all.filter(isBody)));
  const whole = new Set(bodies.flatMap((body) => [...body]));
  // Bodies are subsets of `whole`, so holding all of it means being as large.
  const holders = indices(bodies, (body) => body.size === whole.size);
  if (holders.length === 1) return { kind: 'base', index: holders[0]! };
  const candidates = holders.length > 0 ? holders : indices(bodies, () => true);
  const headless = candidates.filter((i) => !names[i]!.some((name) => TASK_HEAD.test(name)));
  if (headless.length === 1 && candidates.length >= LEAST_FOR_HEADS) {
    return { kind: 'base', index: headless[0]! };
  }
  const named = candidates.filter((i) => BASE_NAME.test(lastPart(checkpoints[i]!.name)));
  if (named.length === 1) return { kind: 'base', index: named[0]! };
  return { kind: 'choose-base', candidates };
}

/** Names of the floating tensors of each, as the checkpoint with most of them would say. */
function comparableNames(checkpoints: readonly PlannedCheckpoint[]): readonly string[][] {
  const counts = checkpoints.map((one) => floatingNames(one).length);
  const largest = checkpoints[counts.indexOf(Math.max(...counts))]!;
  return checkpoints.map((one) => {
    if (one === largest) return floatingNames(one);
    try {
      const { tensors } = taskView(largest, one);
      return [...tensors].filter(([, tensor]) => isFloating(tensor)).map(([name]) => name);
    } catch (error) {
      // It fits two parts of the largest: whoever is the base, planning will say so.
      if (error instanceof PeruError) return floatingNames(one);
      throw error;
    }
  });
}

function isBody(name: string): boolean {
  return !TASK_HEAD.test(name) && !OTHER_HEAD.test(name);
}

function indices<Item>(items: readonly Item[], fits: (item: Item) => boolean): number[] {
  return items.flatMap((item, i) => (fits(item) ? [i] : []));
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
