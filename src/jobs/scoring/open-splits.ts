import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { PeruError } from '@/core/errors';

/** What every split has, whatever its rows are. */
export interface Split {
  readonly dataset: {
    readonly rowCount: number;
    /** Rows of the split they stand for: more than `rowCount` where they are a sample of it. */
    readonly ofRowCount: number;
    readonly readRows: (start: number, end: number) => Promise<unknown>;
  };
}

/** The split of each task, in their order; where there is none, why. */
export interface OpenSplits<Kind extends Split> {
  readonly splits: readonly (Kind | null)[];
  readonly unscoredBecause: readonly (string | null)[];
}

interface Openable<Kind extends Split> {
  readonly open: (options: OpenOptions) => Promise<Kind>;
  readonly optional?: boolean;
}

const NO_TEST = 'no data set is known that it could be scored on';

/**
 * Opens every task's split. One that is optional and out of reach leaves its task unscored: a row of
 * it is read, so that what can not be read is known from the start.
 *
 * @throws PeruError for a split that is not optional; the signal's reason once aborted
 */
export async function openSplits<Kind extends Split>(
  tests: readonly (Openable<Kind> | null)[],
  options: OpenOptions,
): Promise<OpenSplits<Kind>> {
  const opened = await Promise.all(
    tests.map(async (test): Promise<{ split: Kind | null; reason: string | null }> => {
      if (test === null) return { split: null, reason: NO_TEST };
      try {
        const split = await test.open(options);
        if (test.optional === true) await split.dataset.readRows(0, 1);
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
