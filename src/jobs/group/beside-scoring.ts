import { openEvaluator } from '@/jobs/scoring/open-evaluator';
import { type Scoring } from '@/jobs/scoring/group-scorer';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type OpeningParts } from './opened-group';
import { type GroupSources } from './sources';

/**
 * Readies what scores a group while its weights load; either that fails gives up the other.
 *
 * @param changed names of tensors, as in the base, that the group's models may change
 * @param load awaits the scoring when it needs it, and lets go of what it holds when it fails
 * @throws whatever `load` throws, and what `openEvaluator` does once that is awaited
 */
export async function besideScoring<Loaded>(
  { base, tasks }: Pick<GroupSources, 'base' | 'tasks'>,
  { chosen, context, options }: OpeningParts,
  changed: ReadonlySet<string>,
  load: (scoring: Promise<Scoring>) => Promise<Loaded>,
  onProgress: OpenOptions['onProgress'] = options.onProgress,
): Promise<Loaded> {
  const stop = new AbortController();
  const tests = tasks.map(({ scoredOn }) => scoredOn);
  const scoring = openEvaluator(base, tests, chosen, changed, {
    ...options,
    ...(onProgress && { onProgress }),
    signal: AbortSignal.any([context.signal, stop.signal]),
  });
  // Told where it is awaited; till then it must not count as unhandled.
  scoring.catch(() => undefined);
  try {
    return await load(scoring);
  } catch (error) {
    // What the evaluator still fetches is of no use any more.
    stop.abort();
    void scoring.then(
      ({ scorer }) => scorer?.dispose(),
      () => undefined,
    );
    throw error;
  }
}
