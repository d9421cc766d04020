/** Guesses which of some checkpoints is the base the others were fine-tuned from. */
import { PeruError } from '@/core/errors';
import { isBuffer } from './buffers';
import { type PlannedCheckpoint } from './checkpoint-facts';
import { loneModel } from './group-refusals';
import { baseView, type NamedView, taskView } from './named-view';
import { isFloating } from './sort-tensors';

export type BaseGuess =
  | { readonly kind: 'base'; readonly index: number }
  /** Neither tensors nor names tell: the visitor chooses among these indices. */
  | { readonly kind: 'choose-base'; readonly candidates: readonly number[] };

const BASE_WORD = /(?:^|[^a-z])(?:base|pre-?trained)(?:[^a-z]|$)/i;
/** What may follow the word where it names the model: `bert-base-uncased`, and no `bert-base-mnli`. */
const BASE_NAME =
  /(?:^|[^a-z])(?:base|pre-?trained)(?:[^a-z]+(?:models?|weights|checkpoint|ckpt|hf|uncased|cased|multilingual|patch\d+|(?:in|v|fp|bf|f)?\d+[a-z]?))*[^a-z]*$/i;
/** Put on top of a model for one task, or for one class that a model is saved with. */
const HEAD =
  /(?:^|\.)(?:classifier|pre_classifier|classification_head|score|qa_outputs|\w*heads?\d*|cls|pooler|vocab_\w+|generator_\w+|embed_out)\./;
/** A layer of a stack, by its number: what holds modules of its own. */
const LAYER = /^(.*?\.\d+\.)[^.]+\./;

/**
 * Only whole layers tell by themselves: the base holds those of every fine-tune, and is the only one
 * that does. Heads, projections, buffers and differences of prefix do not count: which of them a file
 * has depends on the task, the class and the version that saved it. Where several hold the same, it
 * is the one that the others say they were trained from, else the only one whose name says base or
 * pretrained. Otherwise, and where names say another than the layers do, the candidates are returned
 * for the visitor to choose from.
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
  const names = checkpoints.map(({ name }) => name);
  const told = statedBase(names, statedBases) ?? namedBase(names);
  if (told !== null) {
    if (holders.length === 0 || holders.includes(told)) return { kind: 'base', index: told };
  } else if (holders.length === 1) return { kind: 'base', index: holders[0]! };
  const isAsked = holders.length > 0 && told === null;
  return { kind: 'choose-base', candidates: isAsked ? holders : indices(bodies, () => true) };
}

/** The only one whose name says so; a word in the middle of a name may be a model's size. */
function namedBase(names: readonly string[]): number | null {
  const named = indices(names, (name) => BASE_WORD.test(lastPart(name)));
  const [only] = named;
  return named.length === 1 && BASE_NAME.test(lastPart(names[only!]!)) ? only! : null;
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

/** The layers of each one, by the names that the checkpoint with most of them gives them. */
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

/** Layers that hold matrices; a scalar or a vector of a kind unknown here may be a buffer. */
function bodyOf({ tensors }: NamedView): ReadonlySet<string> {
  const layers = new Set<string>();
  for (const [name, tensor] of tensors) {
    const layer = LAYER.exec(name)?.[1];
    if (layer === undefined || HEAD.test(name)) continue;
    const isWeight = isFloating(tensor) && tensor.shape.length > 1;
    if (isWeight && !isBuffer(name, tensor.shape)) layers.add(layer);
  }
  return layers;
}

function indices<Item>(items: readonly Item[], fits: (item: Item) => boolean): number[] {
  return items.flatMap((item, i) => (fits(item) ? [i] : []));
}

function lastPart(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
}
