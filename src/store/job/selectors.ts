import { type ErrorKind } from '@/core/errors';
import {
  type EngineFacts,
  type ErrorFacts,
  type Job,
  type JobState,
  type MemoryFacts,
  type Pause,
  type Phase,
  type DeliveryPhase,
} from '@/store/state/job';

/** After these the worker has nothing open any more. */
export const GONE_AFTER: readonly ErrorKind[] = ['device-lost', 'worker-stopped'];

/** The last job left a worker that has nothing open. */
export function hasLostWorker({ job }: Pick<JobState, 'job'>): boolean {
  return job.status === 'failed' && GONE_AFTER.includes(job.error.kind);
}

/** Whether a job makes files or takes them along: what is computed stays as it is. */
export function isDelivery(phase: Phase): phase is DeliveryPhase {
  return phase === 'export' || phase === 'zip' || phase === 'save' || phase === 'upload';
}

export function selectJob(state: JobState): Job {
  return state.job;
}

export function selectStatus({ job }: JobState): Job['status'] {
  return job.status;
}

/** The run ended early: what it has not computed by now is not on its way. */
export function selectRunEnded({ job }: JobState): boolean {
  return (job.status === 'failed' || job.status === 'cancelled') && job.phase === 'run';
}

/**
 * The last job ended early, and doing it again makes sense: not where headers alone have told that
 * the memory does not suffice, which only another choice changes. What takes files along has its
 * own buttons.
 */
export function selectCanRetry({ job }: JobState): boolean {
  if (job.status !== 'cancelled' && job.status !== 'failed') return false;
  if (isDelivery(job.phase)) return hasLostWorker({ job });
  if (job.status === 'cancelled') return true;
  const isPlan = job.phase === 'open' || job.phase === 'plan';
  return !(isPlan && job.error.kind === 'out-of-memory');
}

export function selectAlert(state: JobState): ErrorFacts | null {
  return state.alert;
}

export function selectEngine(state: JobState): EngineFacts | null {
  return state.engine;
}

export function selectMemory(state: JobState): MemoryFacts | null {
  return state.memory;
}

/** What holds the work in hand up; null: nothing. */
export function selectPause({ pause }: JobState): Pause | null {
  return pause;
}

/** The adapter in a few words, e.g. `Apple M2 (metal-3)`. */
export function adapterName({ adapter }: EngineFacts): string {
  const maker = [adapter.vendor, adapter.architecture].filter((part) => part !== '').join(' ');
  const name = adapter.description !== '' ? adapter.description : maker;
  if (name === '') return adapter.fallback ? 'a software adapter' : 'an unnamed adapter';
  return adapter.fallback ? `${name}, a software adapter` : name;
}
