import { type Engine } from '@/tensor/engine';
import { PeruError } from '@/core/errors';

/** Rejects when the engine is lost: raced with work, so that nothing waits for what is dead. */
export async function deviceLoss({ kind, lost }: Pick<Engine, 'kind' | 'lost'>): Promise<never> {
  const reason = await lost;
  if (kind !== 'webgpu') {
    throw new PeruError(
      'worker-stopped',
      `A thread that computes ended: ${reason}.`,
      'Try again; if it happens once more, close other tabs or lower the memory budget.',
    );
  }
  throw new PeruError(
    'device-lost',
    `The GPU was lost while Peru worked on it: ${reason || 'the browser gave no reason'}.`,
    'Try again: Peru opens a new device and loads the weights once more.',
  );
}
