/** The recipe in the page's address: read once on load, mirrored from then on. */
import { MERGE_PARAMETERS } from '@/methods/parameters';
import { MERGE_METHODS, SPARSE_METHODS } from '@/methods/registry';
import { type RankChoice } from '@/methods/peru-lora';
import { type CheckpointCard } from '@/protocol/group-facts';
import {
  type DemoName,
  ENGINE_PREFERENCES,
  type EnginePreference,
  type SourceRequest,
} from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';
import { RESCALES } from '@/recipe/stored-values';
import { readHubUrl } from '@/store/hub/hub-url';
import { type GroupKind } from '@/recipe/parsed-method';
import { readPatterns } from '@/store/sources/patterns';
import { type NamePatterns, NO_PATTERNS } from '@/store/state/sources';
import { VALUE_FORMATS } from '@/codecs/value-formats';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import {
  type Bounds,
  BUDGET,
  ENERGY,
  FRO,
  KEPT_PERCENT,
  RANK,
  RATIO,
  withinBounds,
} from './bounds';
import { LORA_PARAMETERS, loraParameters, readLoraParameters } from './lora-link';
import { DEFAULT_RECIPE } from '@/store/state/recipe';

export interface Link {
  readonly demo: DemoName | null;
  /** Repos of a Hub to open, the base first; null where it names none. */
  readonly repos: LinkedRepos | null;
  /** Which of the repos' tensors are merged. */
  readonly patterns: NamePatterns;
  /** The Hub they are on; null: the public one. */
  readonly hubUrl: string | null;
  /** What is to compute; null where it does not say. */
  readonly engine: EnginePreference | null;
  /** What it names that can not be opened, e.g. `demo=moe`; null for none. */
  readonly unknownSource: string | null;
  /** Only what the link names and what is valid; the rest keeps its default. */
  readonly recipe: Partial<Recipe>;
}

export interface LinkedRepos {
  /** Null where the base is to be guessed. */
  readonly base: string | null;
  readonly tasks: readonly string[];
}

/** What is open, as far as a link can carry it. */
export interface LinkedSource {
  readonly request: SourceRequest | null;
  readonly kind: GroupKind;
  readonly cards: readonly CheckpointCard[];
  readonly patterns: NamePatterns;
  /** The Hub in use; null: the public one. */
  readonly hubUrl: string | null;
}

const DEMOS: readonly DemoName[] = ['fft', 'lora', 'loras'];

/** What is opened and which tensors of it; the rest is how. */
const SOURCES: readonly string[] = ['demo', 'base', 'task', 'include', 'exclude', 'hub'];

const RANKS = ['q', 'rank', 'energy', 'fro', 'ratio', 'budget'];

/** Parameters of each kind of group; the other kinds' leave the link. */
const OF_KIND: Readonly<Record<GroupKind, readonly string[]>> = {
  full: ['m', 'scope', 'compress', 'values', 'rescale', 'dtype', 'merge', 'lambda'],
  adapters: [...RANKS, 'merge', 'lambda'],
  loras: [...RANKS, ...LORA_PARAMETERS],
};

/**
 * Reads a query such as `?demo=fft&merge=task-arithmetic&lambda=0.3&m=10&scope=global` or
 * `?demo=lora&q=4`; beside m, `values=I8` (with `rescale=none`) and `dtype=BF16`, and `compress=peru-fft` to
 * run no baseline; in place of q, `rank=energy&energy=95`, `rank=fro&fro=0.9`,
 * `rank=ratio&ratio=20` or `rank=bytes&budget=1000000`; in place
 * of demo, `base=o/b@REV&task=o/t@REV&task=…`, with `include=GLOB` and `exclude=GLOB`, each as often
 * as needed, for their tensors, and `hub=URL` for another Hub than the public one. An export that
 * lies there is one `task=`: its folder. `engine=gpu` or `engine=processor` says what computes.
 */
export function readLink(search: string): Link {
  const query = new URLSearchParams(search);
  const merge = MERGE_METHODS.find((method) => method === query.get('merge'));
  const lambda = numberOf(query.get('lambda'), MERGE_PARAMETERS.lambda.bounds);
  const keptPercent = numberOf(query.get('m'), KEPT_PERCENT);
  const scope = query.get('scope');
  const values = VALUE_FORMATS.find((format) => format === query.get('values'));
  const rescale = RESCALES.find((rule) => rule === query.get('rescale'));
  const dtype = FLOAT_DTYPES.find((name) => name === query.get('dtype'));
  const compressors = compressorsOf(query);
  const rank = rankOf(query);
  const lora = readLoraParameters(query);
  return {
    demo: DEMOS.find((name) => name === query.get('demo')) ?? null,
    repos: linkedRepos(query),
    patterns: {
      include: readPatterns(query.getAll('include').join('\n')),
      exclude: readPatterns(query.getAll('exclude').join('\n')),
    },
    hubUrl: readHubUrl(query.get('hub') ?? '') ?? null,
    engine: ENGINE_PREFERENCES.find((name) => name === query.get('engine')) ?? null,
    unknownSource: unknownSource(query),
    recipe: {
      ...(merge === undefined ? {} : { mergeMethod: merge }),
      ...(lambda === null ? {} : { lambda }),
      ...(keptPercent === null ? {} : { keptPercent }),
      ...(scope === 'global' || scope === 'tensor' ? { scope } : {}),
      ...(compressors === null ? {} : { compressors }),
      ...(values === undefined ? {} : { valueDtype: values }),
      ...(rescale === undefined ? {} : { rescale }),
      ...(dtype === undefined ? {} : { mergedDtype: dtype }),
      ...(rank === null ? {} : { rank }),
      ...(lora === null ? {} : { lora }),
    },
  };
}

/**
 * The query that opens this recipe again. Parameters that are not the recipe's stay as they are;
 * files from the visitor's disk cannot be linked, so they leave nothing behind, and neither do
 * sources that were not opened. Repos are written with the commit that was opened.
 */
export function writeLink(search: string, source: LinkedSource, recipe: Recipe): string {
  const { kind } = source;
  const before = [...new URLSearchParams(search)].filter(([name]) => !SOURCES.includes(name));
  const query = new URLSearchParams([...sourceParameters(source), ...before]);
  const written = parametersOf(kind, recipe);
  const names = new Set(written.map(([name]) => name));
  for (const name of Object.values(OF_KIND).flat()) {
    if (!names.has(name) || name === 'weight') query.delete(name);
  }
  for (const [name, value] of written) {
    // A weight a file: the only one that stands more than once.
    if (name === 'weight') query.append(name, value);
    else query.set(name, value);
  }
  // Legal in a query as they are, and repos are easier to read so.
  const text = query.toString().replaceAll('%2F', '/').replaceAll('%40', '@');
  return `?${text.replaceAll('%3A', ':')}`;
}

function parametersOf(kind: GroupKind, recipe: Recipe): readonly (readonly [string, string])[] {
  const ranks = rankParameters(recipe.rank);
  if (kind === 'loras') return [...ranks, ...loraParameters(recipe.lora)];
  return [
    ['merge', recipe.mergeMethod],
    ['lambda', String(recipe.lambda)],
    ...(kind === 'full' ? fullParameters(recipe) : ranks),
  ];
}

function sourceParameters(source: LinkedSource): [string, string][] {
  const { request, kind, cards, hubUrl } = source;
  // Adapters are merged whole: patterns say nothing of them.
  const patterns = kind === 'full' ? source.patterns : NO_PATTERNS;
  const hub: [string, string][] = hubUrl === null ? [] : [['hub', hubUrl]];
  if (request?.kind === 'demo') return [['demo', request.demo], ...hub];
  if (request?.kind !== 'hub') return hub;
  // One repo is no group, unless it is an export.
  const [only = '', another] = new Set(request.repos);
  const isExport = another === undefined && !/\.sparse\.safetensors(@|$)/.test(only);
  return [
    ...(isExport
      ? exportParameters(cards)
      : cards.map(({ role, id }): [string, string] => [role, id])),
    ...patterns.include.map((glob): [string, string] => ['include', glob]),
    ...patterns.exclude.map((glob): [string, string] => ['exclude', glob]),
    ...hub,
  ];
}

/**
 * An export is opened by its folder, at the commit that was opened: its recipe names the tasks, and
 * the base, which may lie on no Hub. Its tasks are files or folders in there.
 */
function exportParameters(cards: readonly CheckpointCard[]): [string, string][] {
  const task = cards.find(({ role }) => role === 'task');
  return task === undefined ? [] : [['task', task.id.replace(/\/[^/]+(@[^/@]+)$/, '$1')]];
}

/** A base without tasks, or tasks without one, are asked for all the same: opening says more. */
function linkedRepos(query: URLSearchParams): LinkedRepos | null {
  const [base = null, ...others] = query.getAll('base').filter((one) => one !== '');
  const tasks = [...others, ...query.getAll('task').filter((one) => one !== '')];
  return base === null && tasks.length === 0 ? null : { base, tasks };
}

/** Dtypes as they come are left out: most links are short. */
/** Names apart by spaces, `+` in a link; PERU-FFT is always among them, for the slider sets it. */
function compressorsOf(query: URLSearchParams): Recipe['compressors'] | null {
  const names = query.get('compress')?.split(' ') ?? [];
  const known = SPARSE_METHODS.filter((method) => names.includes(method));
  return known.includes('peru-fft') ? known : null;
}

function fullParameters(recipe: Recipe): readonly (readonly [string, string])[] {
  const { keptPercent, scope, compressors, valueDtype, rescale, mergedDtype } = recipe;
  const takesAll = compressors.length === DEFAULT_RECIPE.compressors.length;
  return [
    ['m', String(keptPercent)],
    ['scope', scope],
    ...(takesAll ? [] : [['compress', compressors.join(' ')] as const]),
    ...(valueDtype === DEFAULT_RECIPE.valueDtype ? [] : [['values', valueDtype] as const]),
    ...(rescale === DEFAULT_RECIPE.rescale ? [] : [['rescale', rescale] as const]),
    ...(mergedDtype === null ? [] : [['dtype', mergedDtype] as const]),
  ];
}

function rankParameters(rank: RankChoice): readonly (readonly [string, string])[] {
  switch (rank.by) {
    case 'count':
      return [['q', String(rank.q)]];
    case 'energy':
      return [
        ['rank', rank.by],
        ['energy', String(rank.percent)],
      ];
    case 'fro':
      return [
        ['rank', rank.by],
        ['fro', String(rank.share)],
      ];
    case 'ratio':
      return [
        ['rank', rank.by],
        ['ratio', String(rank.ratio)],
      ];
    case 'bytes':
      return [
        ['rank', rank.by],
        ['budget', String(rank.budget)],
      ];
  }
}

/** The mode that `rank` names needs its own number; without a mode, `q` is meant. */
function rankOf(query: URLSearchParams): RankChoice | null {
  const mode = query.get('rank') ?? 'count';
  if (mode === 'count') {
    const q = numberOf(query.get('q'), RANK);
    return q === null ? null : { by: mode, q };
  }
  if (mode === 'energy') {
    const percent = numberOf(query.get('energy'), ENERGY);
    return percent === null ? null : { by: mode, percent };
  }
  if (mode === 'fro') {
    const share = numberOf(query.get('fro'), FRO);
    return share === null ? null : { by: mode, share };
  }
  if (mode === 'ratio') {
    const ratio = numberOf(query.get('ratio'), RATIO);
    return ratio === null ? null : { by: mode, ratio };
  }
  const budget = numberOf(query.get('budget'), BUDGET);
  return mode !== 'bytes' || budget === null ? null : { by: mode, budget };
}

function unknownSource(query: URLSearchParams): string | null {
  const named = [...query].filter(
    ([name, value]) =>
      (name === 'demo' && !DEMOS.some((demo) => demo === value)) ||
      (name === 'hub' && readHubUrl(value) === undefined),
  );
  return named.length === 0 ? null : named.map(([name, value]) => `${name}=${value}`).join('&');
}

function numberOf(text: string | null, bounds: Bounds): number | null {
  if (text === null || text.trim() === '') return null;
  return withinBounds(bounds, Number(text));
}
