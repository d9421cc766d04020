import { type JobContext } from '@/jobs/context/job-context';
import { type StagingPlace, type WrittenExport } from '@/jobs/staging/staging';
import { type Goal } from '@/protocol/goal';
import { type ExportRequest } from '@/protocol/requests';
import { type Engine } from '@/tensor/engine';
import { type Recipe } from '@/recipe/recipe';

/** What is held on an engine. */
export interface HeldGroup {
  readonly engine: Engine;
  dispose(): void;
}

/** Weights on the engine, ready for what a recipe says, whatever kind of group they are of. */
export interface LoadedGroup<Group extends HeldGroup = HeldGroup> {
  readonly group: Group;
  /**
   * Streams everything the recipe asks for through `context.emit`; rejects when aborted.
   *
   * @param goal of full fine-tunes: what is found by it goes before the recipe's m and format
   * @throws PeruError `unsupported` for a goal that can not be reached
   */
  run(recipe: Recipe, context: JobContext, goal?: Goal): Promise<void>;
  /**
   * Makes a recipe's files; the caller removes the folder when this fails.
   *
   * @throws PeruError for files that can not be read or written, or differ when read back; the
   *   signal's reason once aborted
   */
  export(request: ExportRequest, context: JobContext, place: StagingPlace): Promise<WrittenExport>;
}
