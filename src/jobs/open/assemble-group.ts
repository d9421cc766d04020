/** A group out of what was found among files or repos: which is the base, and what tasks are called. */
import { type AdapterSource } from '@/formats/lora/lora-adapter';
import { baseOfAdapters } from '@/jobs/group/base-of-adapters';
import {
  type CheckpointSource,
  type OpenOptions,
  openWeights,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { listed } from '@/plan/findings/finding';
import { guessBase } from '@/plan/guess-base';
import { PeruError } from '@/core/errors';
import { partFindings, withoutParts } from './model-parts';
import { type AnySources, type TaskSource } from '@/jobs/group/sources';
import { loraSources } from './lora-sources';
import { statedBases } from './stated-bases';

/** What was found among files or repos: full checkpoints, adapters, or both. */
export interface Found {
  readonly checkpoints: readonly CheckpointSource[];
  readonly adapters: readonly AdapterSource[];
}

/** What a group and its tasks are called, and what scores them. */
export interface AboutGroup {
  readonly title: string;
  readonly lambda: number | null;
  readonly taskOf: (model: RepoSource) => Omit<TaskSource<never>, 'model'>;
}

/**
 * LoRA files alone, adapters and their base, or full checkpoints of which one is the base.
 *
 * @param chosenBase id of the checkpoint that the visitor chose
 * @throws PeruError `choose-base` where it can not be told, `mismatch` for LoRA files among full models
 */
export async function groupOf(
  { checkpoints: all, adapters }: Found,
  { title, lambda, taskOf }: AboutGroup,
  chosenBase: string | undefined,
  options: OpenOptions,
): Promise<AnySources> {
  const loras = await loraSources({ checkpoints: all, adapters }, options);
  if (loras !== null) return loras;
  const { whole: checkpoints, parts } = await withoutParts(all, options);
  const findings = partFindings(parts);
  if (adapters.length > 0) {
    // What is no checkpoint at all shall not be offered as the base.
    if (checkpoints.length > 1)
      await Promise.all(checkpoints.map((one) => openWeights(one, options)));
    const base = baseOfAdapters(adapters, checkpoints, chosenBase);
    const tasks = adapters.map((model) => ({ ...taskOf(model), model }));
    return { kind: 'adapters', title, base, tasks, lambda, findings };
  }
  const base = await chooseBase(checkpoints, chosenBase, options);
  const others = checkpoints.filter((checkpoint) => checkpoint !== base);
  const tasks = others.map((model) => ({ ...taskOf(model), model }));
  return { kind: 'full', title, base, tasks, lambda, findings };
}

/** Called as its files are, and scored on nothing. */
export function unscoredTask({ name }: RepoSource): Omit<TaskSource<never>, 'model'> {
  return { name, title: name, scoredOn: null };
}

/**
 * @throws PeruError `choose-base` where neither a choice, nor the tensors, nor what the checkpoints
 *   are called and say of themselves tells
 */
async function chooseBase(
  checkpoints: readonly CheckpointSource[],
  chosenId: string | undefined,
  options: OpenOptions,
): Promise<CheckpointSource> {
  const chosen = checkpoints.find(({ id }) => id === chosenId);
  if (chosen !== undefined) return chosen;
  const [weights, stated] = await Promise.all([
    Promise.all(checkpoints.map((one) => openWeights(one, options))),
    Promise.all(checkpoints.map((one) => statedBases(one, options))),
  ]);
  const guess = guessBase(weights, stated);
  if (guess.kind === 'base') return checkpoints[guess.index]!;
  const choices = guess.candidates.map((index) => checkpoints[index]!);
  throw new PeruError(
    'choose-base',
    `Which checkpoint is the base can not be told from their tensors and names: ${listed(choices.map(({ name }) => name))} may be it.`,
    'Choose the model that the others were fine-tuned from.',
    { choices: choices.map(({ id, name }) => ({ id, name })) },
  );
}
