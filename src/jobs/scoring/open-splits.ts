import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { PeruError } from '@/core/errors';

/** The split of each task, in their order; where there is none, why. */
export interface OpenSplits<Split> {
  readonly splits: readonly (Split | null)[];
  readonly unscoredBecause: readonly (string | null)[];
}

interface Openable<Split> {
  readonly open: (options: OpenOptions) => Promise<Split>;
  readonly optional?: boolean;
}

const NO_TEST = 'no data set is known that it could be scored on';

/**
 * Opens every task's split. One that is optional and out of reach leaves its task unscored.
 *
 * @param firstRow reads a row of a split, so that what can not be read is known from the start
 * @throws PeruError for a split that is not optional; the signal's reason once aborted
 */
export async function openSplits<Split>(
  tests: readonly (Openable<Split> | null)[],
  firstRow: (split: Split) => Promise<unknown>,
  options: OpenOptions,
): Promise<OpenSplits<Split>> {
  const opened = await Promise.all(
    tests.map(async (test): Promise<{ split: Split | null; reason: string | null }> => {
      if (test === null) return { split: null, reason: NO_TEST };
      try {
        const split = await test.open(options);
        if (test.optional === true) await firstRow(split);
        return { split, reason: null };
      } catch (error) {
        options.signal?.throwIfAborted();
        if (test.optional !== true || !(error instanceof PeruError)) throw error;
        return { split: null, reason: error.message };
      }
    }),
  );
  return {
    splits: opened.map(({ split }) => split),
    unscoredBecause: opened.map(({ reason }) => reason),
  };
}
