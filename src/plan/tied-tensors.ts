/**
 * Tensors that are one and the same in the model and may stand in a file once or several times:
 * T5's embeddings, a language model's head that is its embedding. They are planned once, so that
 * a file with the copies and one without fit together and no copy is merged by itself.
 */
import { sameShape } from '@/plan/names/name-prefix';
import { type NamedView, type ViewedTensor } from './named-view';
import { isEmbedding, isTokenHead } from '@/formats/checkpoint/token-tables';

/** A parsed `config.json`, or null where there is none. */
export type ModelConfig = Readonly<Record<string, unknown>> | null;

/** Names of one tensor, the one it is best known by first. */
export type TiedNames = readonly string[];

export interface UntiedView extends NamedView {
  /** Stored names of the copies by the name they are planned under; never read. */
  readonly copies: ReadonlyMap<string, readonly string[]>;
}

const SHARED = /^(.*\.)?shared\.weight$/;
/** BERT and RoBERTa save the bias of their head under two names. */
const HEAD_BIAS = /^((?:.*\.)?(?:cls\.predictions|lm_head))\.decoder\.bias$/;

/** A model has a few embeddings and heads; more pairs than this are no language model. */
const MAX_PAIRS = 256;

/**
 * Models whose head is their embedding unless their configuration says otherwise: transformers
 * leaves `tie_word_embeddings` out of the file where it has the default.
 */
const TIED_BY_DEFAULT = new Set(
  (
    'albert bart bert blenderbot bloom camembert deberta deberta-v2 distilbert electra fsmt gemma ' +
    'gemma2 gemma3 gemma3_text gpt2 gpt_neo longformer longt5 marian mbart mpnet mt5 opt pegasus ' +
    'roberta roformer squeezebert switch_transformers t5 whisper xlm-roberta'
  ).split(' '),
);

/**
 * Groups of names that stand for one tensor, over all checkpoints; each of equal shape wherever
 * two of them stand in one file.
 *
 * @param configs of the checkpoints, as far as there are any
 */
export function tiedNames(
  views: readonly NamedView[],
  configs: readonly ModelConfig[],
): readonly TiedNames[] {
  const names = new Set(views.flatMap(({ tensors }) => [...tensors.keys()]));
  const groups = [...names].flatMap((name) => sharedEmbedding(name, names));
  const inGroups = new Set(groups.flat());
  for (const name of names) {
    if (isEmbedding(name) && !inGroups.has(name)) groups.push([name]);
  }
  const heads = [...names].filter((name) => isTokenHead(name));
  if (tiesHead(configs) && heads.length * groups.length <= MAX_PAIRS) {
    for (const head of heads) addHead(groups, head, views);
  }
  const biases = [...names].flatMap((name) => headBias(name, names));
  return [...groups, ...biases]
    .map((group) => equalShapes(group, views))
    .filter((group) => group.length > 1);
}

/** The view with one tensor for each group: under the name the base has it by, else the first. */
export function withoutCopies(
  view: NamedView,
  groups: readonly TiedNames[],
  base: NamedView,
): UntiedView {
  const tensors = new Map<string, ViewedTensor>(view.tensors);
  const copies = new Map<string, readonly string[]>();
  for (const group of groups) {
    const planned = plannedName(group, base);
    const held = group.filter((name) => tensors.has(name));
    const [read, ...others] = held.includes(planned)
      ? [planned, ...held.filter((name) => name !== planned)]
      : held;
    if (read === undefined) continue;
    const tensor = tensors.get(read)!;
    if (others.length > 0) {
      const stored = others.map((name) => tensors.get(name)!.stored);
      copies.set(planned, stored);
    }
    for (const name of held) if (name !== planned) tensors.delete(name);
    tensors.set(planned, tensor);
  }
  return { ...view, tensors, copies };
}

/** The name of a group that is merged and written; its other names in the base are copies. */
export function plannedName(group: TiedNames, base: NamedView): string {
  return group.find((name) => base.tensors.has(name)) ?? group[0]!;
}

/** T5 and BART look their tokens up in one table, whatever the names say. */
function sharedEmbedding(name: string, names: ReadonlySet<string>): string[][] {
  const found = SHARED.exec(name);
  if (found === null) return [];
  const stem = found[1] ?? '';
  const members = [
    name,
    `${stem}encoder.embed_tokens.weight`,
    `${stem}decoder.embed_tokens.weight`,
  ];
  return [members.filter((member) => names.has(member))];
}

function headBias(name: string, names: ReadonlySet<string>): string[][] {
  const stem = HEAD_BIAS.exec(name)?.[1];
  if (stem === undefined || !names.has(`${stem}.bias`)) return [];
  return [[`${stem}.bias`, name]];
}

/** Puts a head beside the embedding it shares most of its path with, if that is only one. */
function addHead(groups: string[][], head: string, views: readonly NamedView[]): void {
  const fitting = groups
    .filter(([embedding]) => equalShapes([embedding!, head], views).length === 2)
    .map((group) => ({ group, shared: sharedLength(group[0]!, head) }))
    .sort((a, b) => b.shared - a.shared);
  const [best, second] = fitting;
  if (best !== undefined && best.shared !== second?.shared) best.group.push(head);
}

function sharedLength(a: string, b: string): number {
  const [parts, others] = [a.split('.'), b.split('.')];
  const differs = parts.findIndex((part, i) => part !== others[i]);
  return differs < 0 ? parts.length : differs;
}

/** The names without those that differ in shape from the first one in some file. */
function equalShapes(group: TiedNames, views: readonly NamedView[]): TiedNames {
  const first = group[0]!;
  return group.filter((name) =>
    views.every(({ tensors }) => {
      const [one, other] = [tensors.get(first), tensors.get(name)];
      return one === undefined || other === undefined || sameShape(one.shape, other.shape);
    }),
  );
}

/** Whether every configuration there is says, or means, that the head is the embedding. */
function tiesHead(configs: readonly ModelConfig[]): boolean {
  const known = configs.filter((config) => config !== null);
  return known.length > 0 && known.every(ties);
}

function ties(config: Readonly<Record<string, unknown>>): boolean {
  const nested = config['text_config'];
  const text = typeof nested === 'object' && nested !== null ? nested : {};
  const told =
    config['tie_word_embeddings'] ?? (text as Record<string, unknown>)['tie_word_embeddings'];
  if (typeof told === 'boolean') return told;
  const type = config['model_type'];
  return typeof type === 'string' && TIED_BY_DEFAULT.has(type);
}
