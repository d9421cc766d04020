import { invariantError, PeruError } from '@/core/errors';
import { listFew } from '@/core/list-names';
import { type CheckpointSource } from '@/formats/checkpoint/checkpoint-source';
import { type AdapterSource } from '@/formats/lora/lora-adapter';

/**
 * The base of adapters that were added together with full checkpoints: the only one there is, or
 * the one chosen.
 *
 * @param chosenId `id` of the checkpoint that the visitor chose
 * @throws PeruError `choose-base` when there are several
 */
export function baseOfAdapters(
  adapters: readonly AdapterSource[],
  checkpoints: readonly CheckpointSource[],
  chosenId: string | undefined,
): CheckpointSource {
  const [only, another] = checkpoints;
  const names = adapters.map(({ name }) => name);
  const some = listFew(names);
  // Without any they are LoRA files by themselves (`lora-sources.ts`).
  if (only === undefined) throw invariantError('Adapters were to be opened with no base.');
  const chosen = checkpoints.find(({ id }) => id === chosenId);
  if (chosen !== undefined) return chosen;
  if (another === undefined) return only;
  throw new PeruError(
    'choose-base',
    `Adapters (${some}) came together with ${checkpoints.length} full models: ${checkpoints.map(({ name }) => name).join(', ')}. Only the adapters' base can stand beside them.`,
    'Choose the base of the adapters, and the other models are left out; or add full fine-tunes without adapters.',
    { choices: checkpoints.map(({ id, name }) => ({ id, name })) },
  );
}
