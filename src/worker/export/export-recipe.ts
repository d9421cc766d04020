import { type LoadedGroup } from '@/worker/open-group';
import { type ExportRequest } from '@/worker/protocol';
import { type Job } from '@/worker/scoring/scored-group';
import { exportAdapters } from './export-adapters';
import { exportFull } from './export-full';
import { type MadeExport, type StagingPlace } from './staging';

/**
 * Makes a recipe's files from a loaded group; the caller removes the folder when this fails.
 *
 * @throws PeruError for files that can not be read or written, or differ when read back; the
 *   signal's reason once aborted
 */
export async function exportRecipe(
  job: Job<LoadedGroup>,
  request: ExportRequest,
  place: StagingPlace,
): Promise<MadeExport> {
  const { group } = job;
  if (group.kind === 'full') return exportFull({ ...job, group }, request, place);
  return exportAdapters({ ...job, group }, request, place);
}
