import { type Engine } from '@/tensor/engine';
import { PeruError } from '@/core/errors';

/** Rejects when the engine's GPU is lost: raced with work, so that nothing waits for a dead device. */
export async function deviceLoss(engine: Engine): Promise<never> {
  const reason = await engine.lost;
  throw new PeruError(
    'device-lost',
    `The GPU was lost while Peru worked on it: ${reason || 'the browser gave no reason'}.`,
    'Try again: Peru opens a new device and loads the weights once more.',
  );
}
