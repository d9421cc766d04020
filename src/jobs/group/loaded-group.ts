import { type JobContext } from '@/jobs/context/job-context';
import { type ScoredGroup } from '@/jobs/scoring/scored-group';
import { type StagingPlace, type WrittenExport } from '@/jobs/staging/staging';
import { type ExportRequest } from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';

/** Weights on the engine, ready to be merged, scored and exported, whatever kind of group they are of. */
export interface LoadedGroup<Group extends ScoredGroup = ScoredGroup> {
  readonly group: Group;
  /** Streams everything the recipe asks for through `context.emit`; rejects when aborted. */
  run(recipe: Recipe, context: JobContext): Promise<void>;
  /**
   * Makes a recipe's files; the caller removes the folder when this fails.
   *
   * @throws PeruError for files that can not be read or written, or differ when read back; the
   *   signal's reason once aborted
   */
  export(request: ExportRequest, context: JobContext, place: StagingPlace): Promise<WrittenExport>;
}
