import { openEvaluator } from '@/jobs/scoring/open-evaluator';
import { Lanes } from '@/evaluate/runtime/lanes';
import { type Scoring } from '@/jobs/scoring/group-scorer';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type OpeningParts } from './opened-group';
import { type GroupSources } from './sources';

interface ScoredModels {
  /** Names of tensors, as in the base, that the group's models may change. */
  readonly changed: ReadonlySet<string>;
  /** Threads that score. */
  readonly laneCount: number;
}

/**
 * Readies what scores a group while its weights load; either that fails gives up the other.
 *
 * @param load awaits the scoring when it needs it, and lets go of what it holds when it fails
 * @throws whatever `load` throws, and what `openEvaluator` does once that is awaited
 */
export async function besideScoring<Loaded>(
  { base, tasks }: Pick<GroupSources, 'base' | 'tasks'>,
  { chosen, context, options }: OpeningParts,
  { changed, laneCount }: ScoredModels,
  load: (scoring: Promise<Scoring>) => Promise<Loaded>,
  onProgress: OpenOptions['onProgress'] = options.onProgress,
): Promise<Loaded> {
  const stop = new AbortController();
  const tests = tasks.map(({ scoredOn }) => scoredOn);
  const { lanes: threads } = options.platform;
  const lanes = laneCount > 1 ? new Lanes(laneCount, (count) => threads.start(count)) : null;
  const scoring = openEvaluator(
    base,
    tests,
    chosen,
    { changed, lanes },
    {
      ...options,
      ...(onProgress && { onProgress }),
      signal: AbortSignal.any([context.signal, stop.signal]),
    },
  );
  // Told where it is awaited; till then a failure must not count as unhandled.
  scoring.then(
    ({ scorer }) => {
      if (scorer === null) lanes?.dispose();
    },
    () => lanes?.dispose(),
  );
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
