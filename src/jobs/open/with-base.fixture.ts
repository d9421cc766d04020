import { type JobOptions } from '@/jobs/context/platform';
import { type GroupSources } from '@/jobs/group/sources';
import { type SourceRequest } from '@/protocol/requests';
import { groupSources } from './group-sources';

/** Sources of a group that has a base, as tests of such groups want them. */
export async function sourcesWithBase(
  request: SourceRequest,
  options: JobOptions,
): Promise<GroupSources> {
  const sources = await groupSources(request, options);
  if (sources.kind === 'loras') throw new Error('The files opened as LoRA files by themselves.');
  return sources;
}
