/**
 * An allocation that a GPU refuses is told to error scopes alone: work goes on with a buffer that is
 * none, and what is computed with it is void.
 */
import { PeruError } from '@/core/errors';

type ScopedDevice = Pick<GPUDevice, 'pushErrorScope' | 'popErrorScope'>;

/**
 * Does `work`, and believes it only where the GPU had the memory for it. Scopes are a stack on the
 * device: others opened in between must be closed at once, as those of `withErrorScopes` in gpu/
 * are.
 *
 * @param doing for the message, e.g. "run a model"
 * @throws PeruError 'out-of-memory', or what `work` rejects with
 */
export async function withGpuMemory<T>(
  device: ScopedDevice,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  device.pushErrorScope('out-of-memory');
  const [outcome] = await Promise.allSettled([work()]);
  // A lost device has no scopes: whoever waits for it hears of the loss elsewhere.
  const refusal = await device.popErrorScope().catch(() => null);
  if (outcome.status === 'rejected') throw outcome.reason;
  if (refusal === null) return outcome.value;
  throw new PeruError(
    'out-of-memory',
    `The GPU had not enough memory to ${doing} for the accuracy: ${refusal.message}`,
    'Close other pages that use the GPU and try again, or take a smaller model.',
  );
}
