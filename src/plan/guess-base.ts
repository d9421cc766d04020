/** Guesses which of some checkpoints is the base the others were fine-tuned from. */
import { PeruError } from '@/tensor/errors';
import { isBuffer } from './buffers';
import { type PlannedCheckpoint } from './checkpoint-facts';
import { loneModel } from './group-refusals';
import { baseView, type NamedView, taskView } from './named-view';
import { isFloating } from './sort-tensors';

export type BaseGuess =
  | { readonly kind: 'base'; readonly index: number }
  /** Neither tensors nor names tell: the visitor chooses among these indices. */
  | { readonly kind: 'choose-base'; readonly candidates: readonly number[] };

const BASE_NAME = /(?:^|[^a-z])(?:base|pre-?trained)(?:[^a-z]|$)/i;
/** Put on top of a model for one task, or for one class that a model is saved with. */
const HEAD =
  /(?:^|\.)(?:classifier|pre_classifier|classification_head|score|qa_outputs|heads?|cls|lm_head|pooler|vocab_\w+|generator_\w+|embed_out|(?:encoder|decoder)\.embed_tokens)\./;

/**
 * Only what is merged tells by itself: the base holds all weights of every fine-tune, and is the
 * only one that does. Heads, buffers and differences of prefix do not count: which of them a file has
 * depends on the class and the version that saved it. Where several hold the same, it is the one
 * that the others say they were trained from, else the only one whose name says base or
 * pretrained. Otherwise the candidates are returned for the visitor to choose from.
 *
 * @param statedBases per checkpoint: names of the models it says it was trained from
 * @throws PeruError `mismatch` for fewer than two checkpoints
 */
export function guessBase(
  checkpoints: readonly PlannedCheckpoint[],
  statedBases: readonly (readonly string[])[] = [],
): BaseGuess {
  if (checkpoints.length < 2) throw loneModel(checkpoints[0]?.name ?? 'No checkpoint');
  const bodies = bodiesOf(checkpoints);
  const whole = new Set(bodies.flatMap((body) => [...body]));
  // Bodies are subsets of `whole`, so holding all of it means being as large.
  const holders = indices(bodies, (body) => body.size === whole.size);
  if (holders.length === 1) return { kind: 'base', index: holders[0]! };
  const candidates = holders.length > 0 ? holders : indices(bodies, () => true);
  const names = checkpoints.map(({ name }) => name);
  const told = statedBase(names, statedBases);
  if (told !== null && candidates.includes(told)) return { kind: 'base', index: told };
  const named = candidates.filter((i) => BASE_NAME.test(lastPart(names[i]!)));
  if (named.length === 1) return { kind: 'base', index: named[0]! };
  return { kind: 'choose-base', candidates };
}

/** The one that others were trained from, itself or in steps, and that was trained from none. */
function statedBase(
  names: readonly string[],
  statedBases: readonly (readonly string[])[],
): number | null {
  const parents = names.map((_, i) =>
    indices(names, (name) => (statedBases[i] ?? []).some((stated) => isName(name, stated))).filter(
      (parent) => parent !== i,
    ),
  );
  const stated = new Set(parents.flat());
  const roots = [...stated].filter((i) => parents[i]!.length === 0);
  return roots.length === 1 ? roots[0]! : null;
}

/** `base` is what `/some/path/base` and `owner/base` name; two owners name two models. */
function isName(name: string, stated: string): boolean {
  const [a, b] = [name, stated].map((one) => one.replace(/[\\/]+$/, '').toLowerCase());
  return a === b || (!a!.includes('/') && lastPart(b!) === a);
}

/** Names of each one's weights, as the checkpoint with most of them would say. */
function bodiesOf(checkpoints: readonly PlannedCheckpoint[]): readonly ReadonlySet<string>[] {
  const own = checkpoints.map((one) => bodyOf(baseView(one)));
  const largest =
    checkpoints[own.findIndex(({ size }) => size === Math.max(...own.map((b) => b.size)))]!;
  return checkpoints.map((one, i) => {
    if (one === largest) return own[i]!;
    try {
      return bodyOf(taskView(largest, one));
    } catch (error) {
      // It fits two parts of the largest: whoever is the base, planning will say so.
      if (error instanceof PeruError) return own[i]!;
      throw error;
    }
  });
}

/** A scalar or a vector of a kind unknown here may be a buffer; weights of a model are not all such. */
function bodyOf({ tensors }: NamedView): ReadonlySet<string> {
  const body = [...tensors].filter(
    ([name, tensor]) =>
      isFloating(tensor) &&
      tensor.shape.length > 1 &&
      !isBuffer(name, tensor.shape) &&
      !HEAD.test(name),
  );
  return new Set(body.map(([name]) => name));
}

function indices<Item>(items: readonly Item[], fits: (item: Item) => boolean): number[] {
  return items.flatMap((item, i) => (fits(item) ? [i] : []));
}

function lastPart(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
}
