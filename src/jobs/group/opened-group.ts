import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { type Engine } from '@/tensor/engine';
import { type ChosenEngine, type JobOptions } from '@/jobs/context/platform';
import { type FetchedBytes } from '@/jobs/context/fetched-bytes';
import { type CurrentJob, type JobContext } from '@/jobs/context/job-context';
import { type HeldGroup, type LoadedGroup } from './loaded-group';
import { type SourceRequest } from '@/protocol/requests';

/** Headers read, nothing large moved yet. */
export interface OpenedGroup<Group extends HeldGroup = HeldGroup> {
  readonly engine: Engine;
  /** From now on, work on the group reports to this job and stops with it. */
  handTo(job: JobContext): void;
  /**
   * Plans what loading will do by these choices, from what is known already.
   *
   * @throws PeruError `mismatch` where nothing can be merged; a budget that is too small is no
   *   error but a plan whose `leastBytes` say so
   */
  plan(choices: PlanChoices): Promise<Preflight>;
  /** Loads by the latest plan. The caller disposes what it gets. */
  load(): Promise<LoadedGroup<Group>>;
  dispose(): void;
}

/** What opening a group of either kind starts from. */
export interface OpeningParts {
  readonly request: SourceRequest;
  readonly chosen: ChosenEngine;
  /** Stops with, and reports to, the job of the moment. */
  readonly options: JobOptions;
  readonly fetched: FetchedBytes;
  readonly context: CurrentJob;
  /** Go on although NaN or Inf was found. */
  readonly allowNonFinite: boolean;
}
