/** The work in hand, what it runs on, and the one error shown. */
import { createStore } from 'zustand/vanilla';
import { type AdapterReport, type EngineKind } from '@/tensor/engine';
import { type ErrorChoice, type ErrorFacts } from '@/tensor/errors';
import { type Pace } from './pace';

export type { AdapterReport, EngineKind, ErrorChoice, ErrorFacts };

/** `open`: files are read and checked. `run`: they are merged, pruned and scored. */
export type Phase = 'open' | 'run';

export type Job =
  | { readonly status: 'idle' }
  | { readonly status: 'working'; readonly phase: Phase; readonly pace: Pace | null }
  | { readonly status: 'done'; readonly seconds: number }
  | { readonly status: 'cancelled'; readonly phase: Phase }
  | { readonly status: 'failed'; readonly phase: Phase; readonly error: ErrorFacts };

export interface EngineFacts {
  readonly engine: EngineKind;
  readonly adapter: AdapterReport;
  readonly evaluator: string;
}

export interface MemoryFacts {
  readonly liveBytes: number;
  readonly peakBytes: number;
}

export interface JobState {
  readonly job: Job;
  /**
   * First failure of a job since the last dismissal, retry or new source; else the first other
   * trouble, which a job's failure replaces and a job that ends well leaves standing.
   */
  readonly alert: ErrorFacts | null;
  readonly engine: EngineFacts | null;
  readonly memory: MemoryFacts | null;
}

export const INITIAL_JOB_STATE: JobState = {
  job: { status: 'idle' },
  alert: null,
  engine: null,
  memory: null,
};

export const jobStore = createStore<JobState>(() => INITIAL_JOB_STATE);
