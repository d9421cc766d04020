/** The copy kernel every pass is held against. */
import { type DeviceHandle } from '@/gpu/device';
import { withErrorScopes } from '@/gpu/error-scopes';
import { PassRecorder } from '@/gpu/recorder';
import code from './copy.wgsl?raw';

/** Larger than any GPU's last cache, so that the copy goes to memory. */
const BUFFER_BYTES = 128 * 2 ** 20;

/**
 * Makes a run of copies that reads and writes `byteLength` bytes in total, half each.
 *
 * @returns the work to time, and what frees its buffers
 */
export async function prepareCopy(handle: DeviceHandle, byteLength: number) {
  const kernel = await handle.pipelines.get({ name: 'copy', code });
  const half = Math.ceil(byteLength / 32) * 16;
  const size = Math.min(half, BUFFER_BYTES, handle.device.limits.maxStorageBufferBindingSize);
  const scope = handle.buffers.scope();
  const source = scope.create('copy source', size, GPUBufferUsage.STORAGE);
  const copied = scope.create('copy target', size, GPUBufferUsage.STORAGE);
  const work = async (): Promise<void> => {
    await withErrorScopes(handle, 'copying', () => {
      const recorder = new PassRecorder(handle, 'copy');
      for (let done = 0; done < half; done += size) {
        const part = Math.min(size, half - done);
        const resources = {
          source: { buffer: source, offset: 0, size: part },
          copied: { buffer: copied, offset: 0, size: part },
        };
        recorder.dispatch(kernel, resources, Math.ceil(part / 16 / 256));
      }
      recorder.submit();
    });
  };
  const release = (): void => {
    scope.release();
    handle.buffers.trim();
  };
  return { work, release };
}
