import { PeruError } from '@/core/errors';
import { type LoraModule } from './lora-adapter';
import { SAVE_AGAIN } from './stands-twice';

/**
 * The rank the factors have in their file.
 *
 * @throws PeruError `mismatch` when the factors do not belong together, or their rank is not the
 *   configuration's; `unsupported` for a convolution in groups
 */
export function checkRank(adapter: string, module: LoraModule): void {
  const { a, b, rank, path } = module;
  const ofA = a.shape[0];
  const ofB = b.shape[1];
  if (isGrouped(module)) throw groupedConvolution(adapter, path);
  if (a.shape.length < 2 || ofA === undefined || ofA < 1 || ofA !== ofB) {
    throw new PeruError(
      'mismatch',
      `The factors of "${path}" in ${adapter} do not belong together: lora_A is ${listShape(a.shape)}, lora_B is ${listShape(b.shape)}.`,
      SAVE_AGAIN,
    );
  }
  if (ofA !== rank) {
    throw new PeruError(
      'mismatch',
      `"${path}" of ${adapter} has rank ${ofA} in its file, but its configuration says ${rank} (r, rank_pattern).`,
      'Keep the adapter_config.json and the adapter_model.safetensors of one save together.',
    );
  }
}

/** In groups, PEFT makes lora_B with as many groups: each sees its share of the rank. */
function isGrouped({ a, b }: LoraModule): boolean {
  const [rank, share] = [a.shape[0] ?? 0, b.shape[1] ?? 0];
  return a.shape.length > 2 && share > 0 && share < rank && rank % share === 0;
}

export function groupedConvolution(adapter: string, path: string): PeruError {
  return new PeruError(
    'unsupported',
    `"${path}" of ${adapter} is a convolution in groups: its update is no product of two factors that could be merged, and PEFT itself does not merge it.`,
    'Train the adapter without this layer: leave it out of target_modules.',
  );
}

export function listShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
