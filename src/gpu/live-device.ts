import { type BufferOwner } from './buffers';

/** A device, its buffers, and how to wait on it for no longer than it lives. */
export interface LiveDevice {
  readonly device: GPUDevice;
  readonly buffers: BufferOwner;
  /** @throws PeruError `device-lost` when the device is gone */
  assertAlive(): void;
  /** @throws PeruError `device-lost`, also when the device went after `work` was done */
  alive<T>(work: Promise<T>): Promise<T>;
}
