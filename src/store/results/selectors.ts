import {
  type ByMethod,
  type LowRankFacts,
  type ResultsState,
  type Score,
  type SparseFacts,
  type Spectra,
} from '@/store/state/results';

export function selectScores(state: ResultsState): ByMethod<Score> {
  return state.scores;
}

export function selectSparse(state: ResultsState): ByMethod<SparseFacts> {
  return state.sparse;
}

export function selectLowRank(state: ResultsState): ByMethod<LowRankFacts> {
  return state.lowRank;
}

export function selectSpectra(state: ResultsState): Spectra | null {
  return state.spectra;
}

export function selectOverlap(state: ResultsState): ResultsState['overlap'] {
  return state.overlap;
}

export function selectStorage(state: ResultsState): ResultsState['storage'] {
  return state.storage;
}

export function selectHistograms(state: ResultsState): ResultsState['histograms'] {
  return state.histograms;
}

/** The recipe of which every number is there; null while some are on their way. */
export function selectComplete({ complete }: ResultsState): ResultsState['complete'] {
  return complete;
}

/** Bytes are known before the first score: from then on there is something to download. */
export function selectHasResults(state: ResultsState): boolean {
  return Object.keys(state.storage).length > 0;
}
