/** The recipe in the page's address: read once on load, mirrored from then on. */
import {
  type DemoName,
  type MergeMethod,
  type RankChoice,
  type Recipe,
  type SourceRequest,
} from '@/worker/protocol';
import { type GroupKind } from '@/store/method';
import { type Bounds, BUDGET, ENERGY, KEPT_PERCENT, LAMBDA, RANK, withinBounds } from './bounds';

export interface Link {
  readonly demo: DemoName | null;
  /** The sources it names that this version cannot open, e.g. `task=o/x`; null for none. */
  readonly unknownSource: string | null;
  /** Only what the link names and what is valid; the rest keeps its default. */
  readonly recipe: Partial<Recipe>;
}

const DEMOS: readonly DemoName[] = ['fft', 'lora'];

const MERGE_METHODS: readonly MergeMethod[] = ['simple-average', 'task-arithmetic'];

/** Names of repos to open, which a link may carry: not something this version does. */
const REPO_SOURCES: readonly string[] = ['base', 'task'];

/** Parameters of each kind of group; the other kind's leave the link. */
const OF_KIND: Readonly<Record<GroupKind, readonly string[]>> = {
  full: ['m', 'scope'],
  adapters: ['q', 'rank', 'energy', 'budget'],
};

/**
 * Reads a query such as `?demo=fft&merge=task-arithmetic&lambda=0.3&m=10&scope=global` or
 * `?demo=lora&q=4`; in place of q, `rank=energy&energy=95` or `rank=bytes&budget=1000000`.
 */
export function readLink(search: string): Link {
  const query = new URLSearchParams(search);
  const merge = MERGE_METHODS.find((method) => method === query.get('merge'));
  const lambda = numberOf(query.get('lambda'), LAMBDA);
  const keptPercent = numberOf(query.get('m'), KEPT_PERCENT);
  const scope = query.get('scope');
  const rank = rankOf(query);
  return {
    demo: DEMOS.find((name) => name === query.get('demo')) ?? null,
    unknownSource: unknownSource(query),
    recipe: {
      ...(merge === undefined ? {} : { mergeMethod: merge }),
      ...(lambda === null ? {} : { lambda }),
      ...(keptPercent === null ? {} : { keptPercent }),
      ...(scope === 'global' || scope === 'tensor' ? { scope } : {}),
      ...(rank === null ? {} : { rank }),
    },
  };
}

/**
 * The query that opens this recipe again. Parameters that are not the recipe's stay as they are;
 * files from the visitor's disk cannot be linked, so they leave no `demo` behind, and neither do
 * sources that were not opened.
 */
export function writeLink(
  search: string,
  request: SourceRequest | null,
  kind: GroupKind,
  recipe: Recipe,
): string {
  const query = new URLSearchParams(search);
  if (request?.kind === 'demo') query.set('demo', request.demo);
  else query.delete('demo');
  const own = kind === 'full' ? fullParameters(recipe) : rankParameters(recipe.rank);
  const written = new Map([
    ['merge', recipe.mergeMethod],
    ['lambda', String(recipe.lambda)],
    ...own,
  ]);
  for (const name of [...REPO_SOURCES, ...OF_KIND.full, ...OF_KIND.adapters]) {
    if (!written.has(name)) query.delete(name);
  }
  for (const [name, value] of written) query.set(name, value);
  return `?${query.toString()}`;
}

function fullParameters({ keptPercent, scope }: Recipe): readonly (readonly [string, string])[] {
  return [
    ['m', String(keptPercent)],
    ['scope', scope],
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
  const budget = numberOf(query.get('budget'), BUDGET);
  return mode !== 'bytes' || budget === null ? null : { by: mode, budget };
}

function unknownSource(query: URLSearchParams): string | null {
  const named = [...query].filter(
    ([name, value]) =>
      REPO_SOURCES.includes(name) || (name === 'demo' && !DEMOS.some((demo) => demo === value)),
  );
  return named.length === 0 ? null : named.map(([name, value]) => `${name}=${value}`).join('&');
}

function numberOf(text: string | null, bounds: Bounds): number | null {
  if (text === null || text.trim() === '') return null;
  return withinBounds(bounds, Number(text));
}
