/** Error scopes: turns what WebGPU reports later and elsewhere into a rejection here and now. */
import { PeruError } from '@/core/errors';
import { type DeviceHandle } from './device';

/**
 * Runs `work`, which may only issue GPU calls, and waits until the device has accepted them.
 * Scopes are a stack on the device, so `work` must be synchronous.
 *
 * @param what for the message, e.g. "merging"
 * @throws PeruError `out-of-memory`, `device-lost`, or `internal` on a validation error
 */
export async function withErrorScopes<T>(
  handle: DeviceHandle,
  what: string,
  work: () => T,
): Promise<T> {
  const { result, accepted } = withErrorScopesNow(handle, what, work);
  await accepted;
  return result;
}

/**
 * Like `withErrorScopes`, for callers that need the result before the device has accepted the
 * commands. `accepted` must be awaited before anything is believed.
 */
export function withErrorScopesNow<T>(
  handle: DeviceHandle,
  what: string,
  work: () => T,
): { readonly result: T; readonly accepted: Promise<void> } {
  handle.assertAlive();
  const { device } = handle;
  device.pushErrorScope('validation');
  device.pushErrorScope('internal');
  device.pushErrorScope('out-of-memory');
  try {
    const result = work();
    return { result, accepted: accept(handle, what, popScopes(device)) };
  } catch (error) {
    popScopes(device).catch(() => undefined); // the error at hand is the one to tell
    throw error;
  }
}

/** Results of the three scopes, innermost first. */
function popScopes(device: GPUDevice): Promise<(GPUError | null)[]> {
  return Promise.all([device.popErrorScope(), device.popErrorScope(), device.popErrorScope()]);
}

async function accept(
  handle: DeviceHandle,
  what: string,
  popped: Promise<(GPUError | null)[]>,
): Promise<void> {
  const [memory, internal, validation] = await handle.alive(popped);
  if (memory) throw outOfMemory(what, memory.message);
  const fault = validation ?? internal;
  if (!fault) return;
  throw new PeruError(
    'internal',
    `The GPU refused the commands of ${what}: ${fault.message}`,
    'This is a fault in Peru: please report it with the name of the adapter.',
  );
}

function outOfMemory(what: string, message: string): PeruError {
  return new PeruError(
    'out-of-memory',
    `The GPU ran out of memory in ${what}: ${message}`,
    'Close other pages that use the GPU, or use fewer or smaller checkpoints.',
  );
}
