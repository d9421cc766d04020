/** What can not be merged at all, and what the visitor can do about it. */
import { PeruError } from '@/core/errors';
import { type PlannedCheckpoint } from './checkpoint-facts';
import { listNames } from '@/core/list-names';
import { usedPatterns } from '@/plan/names/name-patterns';
import { type NamePatterns } from '@/plan/names/name-patterns';

/** What a lone checkpoint gets told, here and when the base is guessed. */
export function loneModel(name: string): PeruError {
  return new PeruError(
    'mismatch',
    `${name} stands alone: merging takes a base and at least one model fine-tuned from it.`,
    'Add the fine-tuned checkpoints, or the base, to the group.',
  );
}

/** A tokenizer, an index, quantised weights, or a file of empty tensors. */
export function noFloatingNumbers({ name, tensors }: PlannedCheckpoint): PeruError {
  return new PeruError(
    'mismatch',
    `${name} holds no floating numbers to merge: it has ${tensors.size} tensors, empty or of integers.`,
    'Check that it is the model itself and not a tokenizer, an index or quantised weights.',
  );
}

/** A tensor that is not the base's, by the name in its own file. */
export interface StrangeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Null where the base lacks it. */
  readonly baseShape: readonly number[] | null;
}

/** Too little of a checkpoint is in the base: it is no fine-tune of it. */
export function otherModel(
  base: PlannedCheckpoint,
  task: string,
  strange: readonly StrangeTensor[],
  shared: { readonly elements: number; readonly of: number },
): PeruError {
  const baseHas = `the base has ${listNames([...base.tensors.keys()])}`;
  const share = Math.floor((100 * shared.elements) / shared.of);
  const what =
    shared.elements === 0
      ? `${task} shares no tensor with the base ${base.name}`
      : `${task} shares only ${share} % of its numbers with the base ${base.name}`;
  return new PeruError(
    'mismatch',
    `${what}: it has ${listNames(strange.map(({ name }) => name))}; ${baseHas}.${reshaped(strange)}`,
    'Use fine-tunes of this very base, or choose the base they were trained from.',
  );
}

function reshaped(strange: readonly StrangeTensor[]): string {
  const found = strange.find(({ baseShape }) => baseShape !== null);
  if (found === undefined) return '';
  const { name, shape, baseShape } = found;
  return ` "${name}" is [${shape.join(', ')}] instead of [${baseShape!.join(', ')}].`;
}

/** Tensors that would be merged but for how their numbers are stored. */
export function wrongDtypes(
  checkpoint: string,
  names: readonly string[],
  dtypes: readonly string[],
  exclude: readonly string[],
): PeruError {
  return new PeruError(
    'unsupported',
    `${checkpoint} stores tensors to merge as ${dtypes.join(', ')}: ${listNames(names)}. Peru merges F32, F16 and BF16.`,
    'Save the checkpoint in one of these, for example with model.to(torch.float32).save_pretrained(folder).',
    { exclude },
  );
}

/** Tensors without an element where the other file has some. */
export function emptyTensors(
  file: string,
  names: readonly string[],
  other: string,
  exclude: readonly string[],
): PeruError {
  const [are, have] = names.length === 1 ? ['is', 'has'] : ['are', 'have'];
  return new PeruError(
    'mismatch',
    `${listNames(names)} in ${file} ${are} empty but ${have} numbers in ${other}: the file was not saved whole.`,
    'Save it again with all weights gathered: DeepSpeed ZeRO-3 leaves such tensors unless stage3_gather_16bit_weights_on_model_save is set, and its zero_to_fp32.py makes whole ones of a checkpoint.',
    { exclude },
  );
}

/** The fine-tunes fit the base, but not each other. */
export function nothingInCommon(base: string, tasks: readonly string[]): PeruError {
  return new PeruError(
    'mismatch',
    `No tensor stands in ${base} and all of ${tasks.join(', ')} with one shape: there is nothing to merge.`,
    'Merge fine-tunes of the same part of the base, saved with the same model class.',
  );
}

/** The visitor's patterns leave no tensor. */
export function nothingIncluded(patterns: NamePatterns): PeruError {
  const [include, exclude] = [usedPatterns(patterns.include), usedPatterns(patterns.exclude)];
  const told = [
    ...(include.length > 0 ? [`included are ${listNames(include)}`] : []),
    ...(exclude.length > 0 ? [`excluded are ${listNames(exclude)}`] : []),
  ];
  return new PeruError(
    'mismatch',
    `The name patterns leave nothing to merge: ${told.join(', ')}.`,
    'Change or clear the patterns; * stands for any characters and ? for one.',
  );
}
