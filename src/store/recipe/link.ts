/** The recipe in the page's address: read once on load, mirrored from then on. */
import { type MergeMethod, type Recipe, type SourceRequest } from '@/worker/protocol';
import { KEPT_PERCENT, LAMBDA, withinBounds } from './bounds';

export interface Link {
  readonly demo: 'fft' | null;
  /** The sources it names that this version cannot open, e.g. `demo=lora`; null for none. */
  readonly unknownSource: string | null;
  /** Only what the link names and what is valid; the rest keeps its default. */
  readonly recipe: Partial<Recipe>;
}

const MERGE_METHODS: readonly MergeMethod[] = ['simple-average', 'task-arithmetic'];

/** Names of repos to open, which a link may carry: not something this version does. */
const REPO_SOURCES: readonly string[] = ['base', 'task'];

/** Reads a query such as `?demo=fft&merge=task-arithmetic&lambda=0.3&m=10&scope=global`. */
export function readLink(search: string): Link {
  const query = new URLSearchParams(search);
  const merge = MERGE_METHODS.find((method) => method === query.get('merge'));
  const lambda = numberOf(query.get('lambda'), LAMBDA);
  const keptPercent = numberOf(query.get('m'), KEPT_PERCENT);
  const scope = query.get('scope');
  return {
    demo: query.get('demo') === 'fft' ? 'fft' : null,
    unknownSource: unknownSource(query),
    recipe: {
      ...(merge === undefined ? {} : { mergeMethod: merge }),
      ...(lambda === null ? {} : { lambda }),
      ...(keptPercent === null ? {} : { keptPercent }),
      ...(scope === 'global' || scope === 'tensor' ? { scope } : {}),
    },
  };
}

/**
 * The query that opens this recipe again. Parameters that are not the recipe's stay as they are;
 * files from the visitor's disk cannot be linked, so they leave no `demo` behind, and neither do
 * sources that were not opened.
 */
export function writeLink(search: string, request: SourceRequest | null, recipe: Recipe): string {
  const query = new URLSearchParams(search);
  if (request?.kind === 'demo') query.set('demo', request.demo);
  else query.delete('demo');
  for (const name of REPO_SOURCES) query.delete(name);
  query.set('merge', recipe.mergeMethod);
  query.set('lambda', String(recipe.lambda));
  query.set('m', String(recipe.keptPercent));
  query.set('scope', recipe.scope);
  return `?${query.toString()}`;
}

function unknownSource(query: URLSearchParams): string | null {
  const named = [...query].filter(
    ([name, value]) => REPO_SOURCES.includes(name) || (name === 'demo' && value !== 'fft'),
  );
  return named.length === 0 ? null : named.map(([name, value]) => `${name}=${value}`).join('&');
}

function numberOf(text: string | null, bounds: typeof LAMBDA): number | null {
  if (text === null || text.trim() === '') return null;
  return withinBounds(bounds, Number(text));
}
