/** Times GPU work: by the GPU's own clock where it has one, else by the wall's. */
import { type DeviceHandle } from '@/gpu/device';
import { PassTimer } from '@/gpu/timer';
import { type Clock } from './pairs';

/** A clock on the device. Timestamps leave out the CPU's part and the wait for its answer. */
export function clockOn(handle: DeviceHandle): Clock {
  const timer = PassTimer.on(handle);
  handle.timer = timer;
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
