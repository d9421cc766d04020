/**
 * Matches the names an adapter uses to those of a base. An adapter trained on a part of the model,
 * or on a wrapper of it, says `encoder.x` where the base's file says `vision_model.encoder.x`, or
 * the reverse: one prefix, the same for all names, that is deduced and never guessed.
 */
import { PeruError } from '@/tensor/errors';
import { listNames } from './list-names';

export interface NameMatch {
  /** The base's name for a name of the adapter. */
  readonly baseName: (path: string) => string;
  /** What the base's names have before those of the adapter, or lack. */
  readonly prefix: { readonly kind: 'none' | 'added' | 'stripped'; readonly text: string };
}

interface Sides {
  /** For messages. */
  readonly adapter: string;
  readonly base: string;
  /** Full names of the tensors the adapter changes. */
  readonly paths: readonly string[];
  readonly baseNames: ReadonlySet<string>;
  /** Whether the shapes fit under a match: decides between towers that have the same names. */
  readonly shapesFit: (baseName: NameMatch['baseName']) => boolean;
}

/** Prefixes of more parts than this are not looked for. */
const MAX_PREFIX_PARTS = 8;
/** Layers that share their weight with an embedding in many models, which store it once. */
const OFTEN_TIED = /(?:^|\.)(?:lm_head|embed_tokens|wte|embed_out|output_projection|decoder)$/;

/**
 * The one prefix under which the base has every name; none at all comes first.
 *
 * @throws PeruError `mismatch` when no name matches, some do not, or two prefixes would do
 */
export function matchNames(sides: Sides): NameMatch {
  const { paths, baseNames, shapesFit } = sides;
  const counts = matchCounts(paths, baseNames);
  const none = match({ kind: 'none', text: '' });
  if ((counts.get('none:') ?? 0) === paths.length) return none;
  const found = [...counts].map(([key, count]) => ({ count, match: match(parsePrefix(key)) }));
  const whole = found.filter(({ count }) => count === paths.length);
  if (whole.length === 1) return whole[0]!.match;
  if (whole.length > 1) {
    const fitting = whole.filter((one) => shapesFit(one.match.baseName));
    if (fitting.length === 1) return fitting[0]!.match;
    throw ambiguous(
      sides,
      whole.map((one) => one.match),
    );
  }
  const best = found.reduce((a, b) => (b.count > a.count ? b : a), { count: 0, match: none });
  throw best.count === 0 ? nothingMatches(sides) : someMissing(sides, best.match);
}

type Prefix = NameMatch['prefix'];

function match(prefix: Prefix): NameMatch {
  const baseName = (path: string): string => {
    if (prefix.kind === 'none') return path;
    if (prefix.kind === 'added') return prefix.text + path;
    return path.startsWith(prefix.text) ? path.slice(prefix.text.length) : path;
  };
  return { baseName, prefix };
}

function parsePrefix(key: string): Prefix {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon) as Prefix['kind'], text: key.slice(colon + 1) };
}

/** How many of the paths the base has under each prefix that makes at least one match. */
function matchCounts(
  paths: readonly string[],
  baseNames: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (key: string): unknown => counts.set(key, (counts.get(key) ?? 0) + 1);
  const wanted = new Set(paths);
  for (const path of paths) {
    if (baseNames.has(path)) count('none:');
    for (const cut of cuts(path)) {
      if (baseNames.has(path.slice(cut))) count(`stripped:${path.slice(0, cut)}`);
    }
  }
  for (const name of baseNames) {
    for (const cut of cuts(name)) {
      if (wanted.has(name.slice(cut))) count(`added:${name.slice(0, cut)}`);
    }
  }
  return counts;
}

/** Where a name may be cut in two: behind its first dots. */
function cuts(name: string): number[] {
  const found: number[] = [];
  let dot = name.indexOf('.');
  while (dot >= 0 && found.length < MAX_PREFIX_PARTS) {
    found.push(dot + 1);
    dot = name.indexOf('.', dot + 1);
  }
  return found;
}

function nothingMatches({ adapter, base, paths, baseNames }: Sides): PeruError {
  const inProjection = paths.find((path) => hasInProjection(path, baseNames));
  if (inProjection !== undefined) return fusedAttention(adapter, inProjection);
  return new PeruError(
    'mismatch',
    `${adapter} is an adapter for another base: it changes ${listNames(paths)}; ${base} has ${listNames([...baseNames])}.`,
    'Add the base that the adapter was trained on; its adapter_config.json names it under base_model_name_or_path.',
  );
}

function someMissing(sides: Sides, { baseName }: NameMatch): PeruError {
  const { adapter, base, paths, baseNames } = sides;
  const missing = paths.filter((path) => !baseNames.has(baseName(path)));
  const inProjection = missing.find((path) => hasInProjection(baseName(path), baseNames));
  if (inProjection !== undefined) return fusedAttention(adapter, inProjection);
  const tied = missing.every((path) => OFTEN_TIED.test(moduleOf(path)));
  const why = tied
    ? ' In such a base these layers are tied to another and have no tensor of their own'
    : ` It has ${paths.length - missing.length} of the ${paths.length} that the adapter changes`;
  return new PeruError(
    'mismatch',
    `${base} lacks tensors that ${adapter} changes: ${listNames(missing)}.${why}.`,
    tied
      ? 'Train the adapter without these layers, or add a base that was saved with them untied.'
      : 'Add the base that the adapter was trained on, saved with the same model class.',
  );
}

function ambiguous({ adapter, base }: Sides, matches: readonly NameMatch[]): PeruError {
  const shown = matches.map(({ prefix: { kind, text } }) =>
    kind === 'stripped' ? `${text} (left out)` : kind === 'none' ? '(nothing)' : text,
  );
  return new PeruError(
    'mismatch',
    `${adapter} fits several parts of ${base}: its names match behind ${listNames(shown)}.`,
    'Save the adapter from the whole model, so that its names say which part it changes.',
  );
}

function hasInProjection(path: string, baseNames: ReadonlySet<string>): boolean {
  return baseNames.has(`${moduleOf(path)}.in_proj_weight`);
}

function fusedAttention(adapter: string, path: string): PeruError {
  return new PeruError(
    'unsupported',
    `${adapter} adapts "${moduleOf(path)}", an nn.MultiheadAttention, whose projections are fused into one tensor; Peru adapts linear, convolution and embedding layers.`,
    'Merge the adapter into its base with merge_and_unload in PEFT and add the full model.',
  );
}

function moduleOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}
