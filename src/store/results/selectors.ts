import { type ByMethod, type ResultsState, type Score, type SparseFacts } from './state';

export function selectScores(state: ResultsState): ByMethod<Score> {
  return state.scores;
}

export function selectSparse(state: ResultsState): ByMethod<SparseFacts> {
  return state.sparse;
}

export function selectStorage(state: ResultsState): ResultsState['storage'] {
  return state.storage;
}

export function selectHistograms(state: ResultsState): ResultsState['histograms'] {
  return state.histograms;
}

/** Bytes are known before the first score: from then on there is something to download. */
export function selectHasResults(state: ResultsState): boolean {
  return Object.keys(state.storage).length > 0;
}
