/** What reading takes, of the bytes of files. */
export interface ByteTally {
  /** Bytes the job needs, each counted once. */
  readonly neededBytes: number;
  /** Of these, what has to come over the network; 0 for files of this disk. */
  readonly toFetchBytes: number;
  /** Of these, what is kept on this disk from before. */
  readonly keptBytes: number;
}

export function sumTallies(tallies: readonly ByteTally[]): ByteTally {
  const sum = (of: (tally: ByteTally) => number): number =>
    tallies.reduce((total, tally) => total + of(tally), 0);
  return {
    neededBytes: sum(({ neededBytes }) => neededBytes),
    toFetchBytes: sum(({ toFetchBytes }) => toFetchBytes),
    keptBytes: sum(({ keptBytes }) => keptBytes),
  };
}
