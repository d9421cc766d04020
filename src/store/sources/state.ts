/** What is open: the request that was made and the facts of the group it gave. */
import { createStore } from 'zustand/vanilla';
import {
  type AdaptedModule,
  type AdapterContents,
  type CheckpointCard,
  type GroupFacts,
  type Metric,
  type SourceRequest,
} from '@/worker/protocol';

export type { AdaptedModule, AdapterContents, CheckpointCard, GroupFacts, Metric, SourceRequest };

/** A file of the visitor's disk with its path inside what was added. */
export interface LocalFile {
  readonly path: string;
  readonly file: File;
}

export interface SourcesState {
  readonly request: SourceRequest | null;
  /** Known as soon as the headers are read; null before. */
  readonly group: GroupFacts | null;
  /** Recipes run only on loaded weights. */
  readonly weights: 'absent' | 'loading' | 'loaded';
}

export const sourcesStore = createStore<SourcesState>(() => ({
  request: null,
  group: null,
  weights: 'absent',
}));
