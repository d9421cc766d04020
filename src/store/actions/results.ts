/** Takes the worker's results in, and drops those another recipe has made untrue. */
import { mergeKey } from '@/recipe/method-id';
import { type JobEvent } from '@/protocol/events';
import { COMBINED } from '@/recipe/lora-choices';
import { combinedKey, type LoraChoices, loraKey } from '@/recipe/lora-choices';
import { type Recipe, type StorageRow } from '@/recipe/recipe';
import { storedValuesKey } from '@/recipe/stored-values';
import { COMPRESSORS, SPARSE_METHODS } from '@/methods/registry';
import { isCompressed, type MethodFamily, parseMethod } from '@/recipe/parsed-method';
import { Paced } from './paced';
import {
  type ByMethod,
  EMPTY_RESULTS,
  type MethodId,
  resultsStore,
  type ResultsState,
  type Score,
  type Spectra,
} from '@/store/state/results';

export type ResultEvent = Extract<
  JobEvent,
  {
    type:
      'histograms' | 'spectra' | 'overlap' | 'score' | 'sparse' | 'low-rank' | 'storage' | 'stage';
  }
>;

const waiting = new Paced<ResultEvent>((events) => {
  resultsStore.setState((state) =>
    events.reduce<ResultsState>((so, event) => ({ ...so, ...reduceResult(so, event) }), state),
  );
});

export function resetResults(): void {
  waiting.drop();
  resultsStore.setState(EMPTY_RESULTS);
}

/**
 * Drops what a new recipe makes untrue: another merge the merged model, and any change the compressors
 * that depend on it, at every setting; and compressors that it leaves out. Pretrained and fine-tuned always stay.
 */
export function dropStale(recipe: Recipe): void {
  waiting.flush();
  resultsStore.setState((state) => {
    const key = mergeKey(recipe);
    const hasMoved = {
      merge: state.mergeKey !== null && state.mergeKey !== key,
      scope: state.scope !== null && state.scope !== recipe.scope,
      values: state.values !== null && state.values !== storedValuesKey(recipe),
    };
    const before = state.lora ?? recipe.lora;
    const hasLora = loraKey(before) === loraKey(recipe.lora);
    const isUnwanted = (family: MethodFamily): boolean =>
      SPARSE_METHODS.some((one) => one === family && !recipe.compressors.includes(one));
    const isStale = (family: MethodFamily): boolean =>
      isCompressed(family)
        ? isUnwanted(family) || COMPRESSORS[family].dependsOn.some((part) => hasMoved[part])
        : family === 'merged' && hasMoved.merge;
    const fresh = (method: MethodId): boolean => {
      const parsed = parseMethod(method);
      if (parsed === null) return true;
      return !isStale(parsed.family) && (hasLora || parsed.family !== 'peru-lora');
    };
    return {
      scores: keepMethods(state.scores, fresh),
      sparse: keepMethods(state.sparse, fresh),
      storage: keepMethods(state.storage, fresh),
      histograms: hasMoved.merge ? {} : state.histograms,
      spectra: isOtherSum(before, recipe.lora) ? withoutSum(state.spectra) : state.spectra,
      mergeKey: key,
      scope: recipe.scope,
      values: storedValuesKey(recipe),
      lora: recipe.lora,
      complete: null,
    };
  });
}

/** Whether the sum of LoRA files is another one. */
function isOtherSum(before: LoraChoices, now: LoraChoices): boolean {
  const files = Object.keys({ ...before.weights, ...now.weights });
  return combinedKey(before, files) !== combinedKey(now, files);
}

function withoutSum(spectra: Spectra | null): Spectra | null {
  if (spectra === null) return null;
  return { ...spectra, spectra: spectra.spectra.filter(({ task }) => task !== COMBINED) };
}

/** The run of this recipe has ended well. */
export function markComplete(recipe: Recipe): void {
  resultsStore.setState({ complete: recipe });
}

/** Shown within a blink, together with what comes meanwhile. */
export function handleResult(event: ResultEvent): void {
  waiting.add(event);
}

/** Shows now what has come. */
export function showResults(): void {
  waiting.flush();
}

/** The state after an event. Pure. */
function reduceResult(state: ResultsState, event: ResultEvent): Partial<ResultsState> {
  switch (event.type) {
    case 'histograms':
      return {
        histograms: Object.fromEntries(event.histograms.map(({ task, counts }) => [task, counts])),
      };
    case 'score':
      return { scores: withScore(state.scores, event.score) };
    case 'sparse': {
      const { method, task } = event.facts;
      const facts = { ...state.sparse[method], [task]: event.facts };
      return { sparse: { ...state.sparse, [method]: facts } };
    }
    case 'low-rank': {
      const { method, task } = event.facts;
      const facts = { ...state.lowRank[method], [task]: event.facts };
      return { lowRank: { ...state.lowRank, [method]: facts } };
    }
    case 'spectra':
      return { spectra: { report: event.report, spectra: event.spectra } };
    case 'overlap':
      return { overlap: event.overlap };
    case 'storage':
      return { storage: { ...state.storage, ...byMethod(event.rows) } };
    case 'stage':
      return { seconds: { ...state.seconds, [event.name]: event.seconds } };
  }
}

/** A score on fewer rows never replaces one on more: both belong to the same weights. */
function withScore(scores: ByMethod<Score>, score: Score): ByMethod<Score> {
  const ofMethod = scores[score.method];
  const before = ofMethod?.[score.task];
  if (before !== undefined && before.n > score.n) return scores;
  return { ...scores, [score.method]: { ...ofMethod, [score.task]: score } };
}

function byMethod(rows: readonly StorageRow[]): Record<MethodId, StorageRow> {
  return Object.fromEntries(rows.map((row) => [row.method, row]));
}

function keepMethods<T>(
  entries: Readonly<Record<MethodId, T>>,
  keep: (method: MethodId) => boolean,
): Readonly<Record<MethodId, T>> {
  return Object.fromEntries(Object.entries(entries).filter(([method]) => keep(method)));
}
