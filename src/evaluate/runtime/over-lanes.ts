import { unlessAborted } from '@/core/unless-aborted';
import { type LaneQueue } from './graph-session';

interface AnyLane {
  readonly queue: LaneQueue | null;
}

/**
 * Does work on every item, in order, each on the lane that is free first: one that something else
 * slows down takes fewer. Where lanes are threads of their own, what is asked for later begins as
 * they come free of this, and an abort ends the waiting at once; else it is one item after another.
 *
 * @throws what `work` first rejects with, or the signal's reason; what has begun goes on
 */
export async function overLanes<Item, Lane extends AnyLane>(
  lanes: readonly Lane[],
  items: readonly Item[],
  work: (item: Item, lane: Lane) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const left = items.values();
  let isOver = false;
  const drain = async (lane: Lane): Promise<void> => {
    for (const item of left) {
      if (isOver) return;
      await work(item, lane);
    }
  };
  const isApart = lanes.every(({ queue }) => queue !== null);
  try {
    const drains = lanes.flatMap((lane) => queued(lane, drain));
    const all = Promise.all(drains);
    await (isApart && signal !== undefined ? unlessAborted(all, signal) : all);
  } finally {
    isOver = true;
  }
}

/** At each place of the lane's queue, once what was asked for there before is over. */
function queued<Lane extends AnyLane>(
  lane: Lane,
  drain: (lane: Lane) => Promise<void>,
): Promise<void>[] {
  const { queue } = lane;
  if (queue === null) return [drain(lane)];
  return queue.map((before, place) => {
    const drained = before.then(() => drain(lane));
    queue[place] = drained.catch(() => undefined);
    return drained;
  });
}
