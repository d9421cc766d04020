import {
  type EngineFacts,
  type ErrorFacts,
  type Job,
  type JobState,
  type MemoryFacts,
} from './state';

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
 * the memory does not suffice, which only another choice changes.
 */
export function selectCanRetry({ job }: JobState): boolean {
  if (job.status === 'cancelled') return true;
  if (job.status !== 'failed') return false;
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

/** The adapter in a few words, e.g. `Apple M2 (metal-3)`. */
export function adapterName({ engine, adapter }: EngineFacts): string {
  if (engine === 'reference') return 'the processor';
  const maker = [adapter.vendor, adapter.architecture].filter((part) => part !== '').join(' ');
  const name = adapter.description !== '' ? adapter.description : maker;
  const shown = name !== '' ? name : 'an unnamed adapter';
  return adapter.fallback ? `${shown}, a software adapter` : shown;
}
