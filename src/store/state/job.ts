/** The work in hand, what it runs on, and the one error shown. */
import { createStore } from 'zustand/vanilla';
import { type AdapterReport, type EngineKind } from '@/tensor/engine';
import { type ErrorChoice, type ErrorFacts } from '@/core/errors';
import { type Found } from '@/protocol/goal';
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { type ProgressRate } from './progress-rate';

export type { AdapterReport, EngineKind, ErrorChoice, ErrorFacts, Pause };

/**
 * `open`: headers are read and checked, and what it will cost is planned. `plan`: planned anew by
 * other choices. `load`: the weights are loaded or readied. `run`: they are merged and scored.
 */
export type Phase = 'open' | 'plan' | 'load' | 'run' | DeliveryPhase;

/** `export`: files are made. The others take them along: as a zip, to a folder, to the Hub. */
export type DeliveryPhase = 'export' | 'zip' | 'save' | 'upload';

export type Job =
  | { readonly status: 'idle' }
  /** The report is there, and nothing more moves before the visitor presses Start. */
  | { readonly status: 'waiting' }
  | { readonly status: 'working'; readonly phase: Phase; readonly pace: ProgressRate | null }
  | {
      readonly status: 'done';
      readonly phase: 'run' | DeliveryPhase;
      readonly seconds: number;
    }
  | { readonly status: 'cancelled'; readonly phase: Phase }
  | { readonly status: 'failed'; readonly phase: Phase; readonly error: ErrorFacts };

export interface EngineFacts {
  readonly engine: EngineKind;
  readonly adapter: AdapterReport;
  readonly evaluator: string;
  /** Why the processor computes. */
  readonly noGpu?: ErrorFacts;
  /** A software adapter that would be slower than what computes. */
  readonly passedOver?: AdapterReport;
}

export interface MemoryFacts {
  readonly liveBytes: number;
  readonly peakBytes: number;
}

export interface JobState {
  readonly job: Job;
  /** What holds the work in hand up; null: nothing. */
  readonly pause: Pause | null;
  /**
   * First failure of a job since the last dismissal, retry or new source; else the first other
   * trouble, which a job's failure replaces and a job that ends well leaves standing.
   */
  readonly alert: ErrorFacts | null;
  readonly engine: EngineFacts | null;
  readonly memory: MemoryFacts | null;
  /** What the last run looked for, and found; null: it had no goal, or looks still. */
  readonly found: Found | null;
}

export const INITIAL_JOB_STATE: JobState = {
  job: { status: 'idle' },
  pause: null,
  alert: null,
  engine: null,
  memory: null,
  found: null,
};

export const jobStore = createStore<JobState>(() => INITIAL_JOB_STATE);
