/**
 * Starts reads before they are needed, in order, as many as fit a window of bytes; one at least.
 * The first failure, or leaving the loop, stops what is still under way.
 *
 * @param read gets a signal that stops it
 * @throws what a read throws, when its turn comes
 */
export async function* readAhead<Item, Result>(
  items: readonly Item[],
  options: {
    readonly bytesOf: (item: Item) => number;
    readonly windowBytes: number;
    readonly read: (item: Item, signal: AbortSignal) => Promise<Result>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<{ readonly item: Item; readonly result: Result }> {
  const { bytesOf, windowBytes, read } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const started: { item: Item; result: Promise<Result> }[] = [];
  let underWay = 0;
  let next = 0;
  const fillWindow = (): void => {
    for (; next < items.length; next++) {
      const item = items[next]!;
      const bytes = bytesOf(item);
      if (started.length > 0 && underWay + bytes > windowBytes) return;
      const result = read(item, signal);
      // Told when its turn comes; till then it must not count as unhandled.
      result.catch(() => undefined);
      started.push({ item, result });
      underWay += bytes;
    }
  };
  try {
    for (;;) {
      fillWindow();
      const first = started.shift();
      if (first === undefined) return;
      const result = await first.result;
      underWay -= bytesOf(first.item);
      fillWindow();
      yield { item: first.item, result };
    }
  } finally {
    stop.abort();
  }
}
