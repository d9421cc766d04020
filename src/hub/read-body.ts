import { PeruError } from '@/core/errors';
import { type About, brokeOff } from './hub-errors';
import { TransientError } from '@/core/retry';

/**
 * Hands on a body, piece by piece, as it arrives.
 *
 * @param take may throw a PeruError to have no more of it
 * @throws TransientError when the connection is lost
 */
export async function readBody(
  response: Response,
  about: About,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof PeruError) throw cause;
    throw new TransientError(brokeOff(about, cause));
  }
}
