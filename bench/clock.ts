/** Times GPU work: by the GPU's own clock where it has one, else by the wall's. */
import { type DeviceHandle } from '@/gpu/device';
import { PassTimer } from '@/gpu/timer';

export interface Clock {
  readonly kind: 'timestamps' | 'wall';
  /** Seconds of one run of `work`. */
  measure(work: () => Promise<void>): Promise<number>;
}

/** A clock on the device. Timestamps leave out the CPU's part and the wait for its answer. */
export function clockOn(handle: DeviceHandle): Clock {
  const timer = PassTimer.attach(handle);
  if (timer) {
    return {
      kind: 'timestamps',
      measure: async (work) => {
        await timer.take();
        await work();
        return timer.take();
      },
    };
  }
  return {
    kind: 'wall',
    measure: async (work) => {
      await handle.device.queue.onSubmittedWorkDone();
      const start = performance.now();
      await work();
      await handle.device.queue.onSubmittedWorkDone();
      return (performance.now() - start) / 1000;
    },
  };
}

/** Median seconds of several runs, after runs that warm up. */
export async function medianSeconds(
  clock: Clock,
  runs: number,
  work: () => Promise<void>,
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const seconds: number[] = [];
  for (let i = -2; i < runs; i++) {
    await before();
    const taken = await clock.measure(work);
    if (i >= 0) seconds.push(taken);
  }
  seconds.sort((a, b) => a - b);
  return seconds[seconds.length >> 1]!;
}
