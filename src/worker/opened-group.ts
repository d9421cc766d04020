import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { type OpenOptions } from '@/sources/checkpoint-source';
import { type Engine } from '@/tensor/engine';
import { type ChosenEngine } from './choose-engine';
import { type FetchedBytes } from './fetched-bytes';
import { type CurrentPorts, type JobPorts } from './job-ports';
import { type SourceRequest } from './protocol';

/** Headers read, nothing large moved yet. */
export interface OpenedGroup<Loaded> {
  readonly engine: Engine;
  /** From now on, work on the group reports to this job and stops with it. */
  handTo(job: JobPorts): void;
  /**
   * Plans what loading will do by these choices, from what is known already.
   *
   * @throws PeruError `mismatch` where nothing can be merged; a budget that is too small is no
   *   error but a plan whose `leastBytes` say so
   */
  plan(choices: PlanChoices): Promise<Preflight>;
  /** Loads by the latest plan. The caller disposes what it gets. */
  load(): Promise<Loaded>;
  dispose(): void;
}

/** What opening a group of either kind starts from. */
export interface OpeningParts {
  readonly request: SourceRequest;
  readonly chosen: ChosenEngine;
  /** Stops with, and reports to, the job of the moment. */
  readonly options: OpenOptions;
  readonly fetched: FetchedBytes;
  readonly ports: CurrentPorts;
  /** Go on although NaN or Inf was found. */
  readonly allowNonFinite: boolean;
}
