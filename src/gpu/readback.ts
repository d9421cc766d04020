/** From GPU buffers to memory. */
import { type DeviceHandle } from './device';
import { withErrorScopes } from './error-scopes';

/** Bytes of `source` to read. */
export interface ReadRange {
  readonly source: GPUBuffer;
  /** First byte, a multiple of four; default: 0. */
  readonly offset?: number;
  readonly byteLength: number;
  /** At least so many bytes are lent for the copy: reads of several sizes share one buffer. */
  readonly room?: number;
}

/**
 * Records work and copies of its results, submits both, waits, and returns the bytes.
 *
 * @param record encodes commands on the encoder and names what to read back, in order
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`
 */
export async function readBack(
  handle: DeviceHandle,
  what: string,
  record: () => { readonly encoder: GPUCommandEncoder; readonly ranges: readonly ReadRange[] },
): Promise<ArrayBuffer[]> {
  const { device, buffers } = handle;
  return buffers.lend(async (scope) => {
    const staged = await withErrorScopes(handle, what, () => {
      const { encoder, ranges } = record();
      const copies = ranges.map(({ source, offset = 0, byteLength, room = byteLength }) => {
        const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
        const staging = scope.create('staging', room, usage);
        const size = Math.ceil(byteLength / 4) * 4;
        if (size > 0) encoder.copyBufferToBuffer(source, offset, staging, 0, size);
        return { staging, byteLength };
      });
      device.queue.submit([encoder.finish({ label: what })]);
      return copies;
    });
    return await handle.alive(Promise.all(staged.map(readStaging)));
  });
}

async function readStaging({ staging, byteLength }: { staging: GPUBuffer; byteLength: number }) {
  const mapped = Math.ceil(byteLength / 8) * 8;
  await staging.mapAsync(GPUMapMode.READ, 0, mapped);
  const bytes = staging.getMappedRange(0, mapped).slice(0, byteLength);
  staging.unmap();
  return bytes;
}
