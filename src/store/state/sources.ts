/** What is open: the request that was made and the facts of the group it gave. */
import { createStore } from 'zustand/vanilla';
import { type AdaptedModule, type AdapterContents } from '@/export/adapter/adapter-contents';
import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { type CheckpointCard, type GroupFacts } from '@/protocol/group-facts';
import { type AddedFile, type SourceRequest } from '@/protocol/requests';
import { type Metric } from '@/recipe/recipe';

export type {
  AddedFile,
  AdaptedModule,
  AdapterContents,
  CheckpointCard,
  GroupFacts,
  Metric,
  SourceRequest,
};
export type { PlanChoices, Preflight };

/** Which tensors are merged: globs over the base's names. */
export type NamePatterns = Omit<PlanChoices, 'budgetBytes'>;

export const NO_PATTERNS: NamePatterns = { include: [], exclude: [] };

/**
 * `absent`: the worker has nothing open. `checking`: headers are read. `waiting`: they are read,
 * and the weights wait for the visitor's word. Recipes run only on `loaded` weights.
 */
export type Weights = 'absent' | 'checking' | 'waiting' | 'loading' | 'loaded';

export interface SourcesState {
  readonly request: SourceRequest | null;
  /** The report on what was opened last, also where its weights were not loaded in the end. */
  readonly preflight: Preflight | null;
  /** Known once the weights are on their way; null before. */
  readonly group: GroupFacts | null;
  readonly weights: Weights;
  /** `agreed`: Start was pressed for this request; opening it again asks no second time. */
  readonly start: 'ask' | 'agreed';
  /** Of this request; the other choice, the budget, is a setting. */
  readonly patterns: NamePatterns;
  /** What of the recipe file that named the request is not followed, a sentence each. */
  readonly notes: readonly string[];
  /** Sources are being added or taken away, although something is open. */
  readonly isChanging: boolean;
}

export const INITIAL_SOURCES: SourcesState = {
  request: null,
  preflight: null,
  group: null,
  weights: 'absent',
  start: 'ask',
  patterns: NO_PATTERNS,
  notes: [],
  isChanging: false,
};

export const sourcesStore = createStore<SourcesState>(() => INITIAL_SOURCES);
