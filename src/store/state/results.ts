/** What has been computed for the open group, keyed by method, then by task. */
import { createStore } from 'zustand/vanilla';
import { type JobEvent } from '@/protocol/events';
import { type LoraChoices } from '@/recipe/lora-choices';
import {
  type LowRankFacts,
  type OverlapFacts,
  type Score,
  type SparseFacts,
} from '@/protocol/results';
import { type MethodId, type Recipe, type StorageRow } from '@/recipe/recipe';

export type { LowRankFacts, MethodId, OverlapFacts, Score, SparseFacts, StorageRow };

/** Singular values of every module of every task, and how well they were computed. */
export type Spectra = Omit<Extract<JobEvent, { type: 'spectra' }>, 'type'>;

/** One entry a method, in each one entry a task. */
export type ByMethod<T> = Readonly<Record<MethodId, Readonly<Record<string, T>>>>;

export interface ResultsState {
  readonly scores: ByMethod<Score>;
  readonly sparse: ByMethod<SparseFacts>;
  readonly lowRank: ByMethod<LowRankFacts>;
  /** Null until the adapters are factorised; holds for every recipe. */
  readonly spectra: Spectra | null;
  /** Between LoRA files; null until a sum of them was made. */
  readonly overlap: OverlapFacts | null;
  readonly storage: Readonly<Record<MethodId, StorageRow>>;
  /** Per task, 2048 counts of |theta_t - theta*| for the merge in `mergeKey`. */
  readonly histograms: Readonly<Record<string, Uint32Array>>;
  readonly seconds: Readonly<Record<string, number>>;
  /** What the merged model and PERU-FFT's scores belong to; null before the first run. */
  readonly mergeKey: string | null;
  readonly scope: string | null;
  /** How kept values are stored. */
  readonly values: string | null;
  /** What LoRA files are made into: what was measured by other choices is gone. */
  readonly lora: LoraChoices | null;
  /** The recipe whose run ended well, so that nothing of it is missing; null: none yet. */
  readonly complete: Recipe | null;
}

export const EMPTY_RESULTS: ResultsState = {
  scores: {},
  sparse: {},
  lowRank: {},
  spectra: null,
  overlap: null,
  storage: {},
  histograms: {},
  seconds: {},
  mergeKey: null,
  scope: null,
  values: null,
  lora: null,
  complete: null,
};

export const resultsStore = createStore<ResultsState>(() => EMPTY_RESULTS);
