/** Times compute passes by the GPU's own clock, where it has one (`timestamp-query`). */
import { type LiveDevice } from './live-device';

const MAX_PASSES = 512;

export class PassTimer {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;
  private passes = 0;

  private constructor(private readonly handle: LiveDevice) {
    const { device, buffers } = handle;
    const count = 2 * MAX_PASSES;
    const [size, { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ }] = [8 * count, GPUBufferUsage];
    this.querySet = device.createQuerySet({ label: 'timer', type: 'timestamp', count });
    this.resolved = buffers.create('timer', size, QUERY_RESOLVE | COPY_SRC);
    this.staging = buffers.create('timer staging', size, MAP_READ | COPY_DST);
  }

  /** A timer on the device, or null where it cannot time. */
  static on(handle: LiveDevice): PassTimer | null {
    if (!handle.device.features.has('timestamp-query')) return null;
    return new PassTimer(handle);
  }

  /** Timestamp writes of the next pass; undefined once the query set is full. */
  next(): GPUComputePassTimestampWrites | undefined {
    if (this.passes === MAX_PASSES) return undefined;
    const first = 2 * this.passes++;
    return {
      querySet: this.querySet,
      beginningOfPassWriteIndex: first,
      endOfPassWriteIndex: first + 1,
    };
  }

  /** Seconds spent in passes since the last call, summed; the passes must have been submitted. */
  async take(): Promise<number> {
    const { device } = this.handle;
    const count = 2 * this.passes;
    this.passes = 0;
    if (count === 0) return 0;
    const encoder = device.createCommandEncoder({ label: 'timer' });
    encoder.resolveQuerySet(this.querySet, 0, count, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.staging, 0, 8 * count);
    device.queue.submit([encoder.finish()]);
    await this.handle.alive(this.staging.mapAsync(GPUMapMode.READ));
    const times = new BigInt64Array(this.staging.getMappedRange().slice(0, 8 * count));
    this.staging.unmap();
    let nanoseconds = 0n;
    for (let i = 0; i < count; i += 2) nanoseconds += times[i + 1]! - times[i]!;
    return Number(nanoseconds) / 1e9;
  }
}
