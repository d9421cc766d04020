/**
 * How one module's factors lie in its weight (huggingface/peft, `tuners/lora/layer.py`,
 * `get_delta_weight`). With A = lora_A and B = lora_B:
 * linear [out, in]: B A; Conv1D [in, out]: (B A)ᵀ; embedding [count, dim]: (B A)ᵀ;
 * convolution [out, in, ...kernel]: B A over the flattened rest, where B's kernel is 1.
 */
import { type AdapterModule } from '@/formats/peft/adapter-plan';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { type PlannedCheckpoint } from '@/plan/checkpoint-facts';

/** A module as the file has it: both factors, and what the configuration says of it. */
export interface ModuleFactors {
  /** For messages. */
  readonly adapter: string;
  readonly module: string;
  readonly embedding: boolean;
  readonly a: StoredTensor;
  readonly b: StoredTensor;
  readonly rank: number;
  readonly scale: number;
}

/** A weight of the base, as a target. */
export interface TargetWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** `plain`: the delta is B A; `turned`: its transpose; `either`: square, shapes do not tell. */
export type Orientation = 'plain' | 'turned' | 'either';

/**
 * The rank the factors have in their file.
 *
 * @throws PeruError `mismatch` when the factors do not belong together, or their rank is not the
 *   configuration's; `unsupported` for a convolution in groups
 */
export function checkRank(factors: ModuleFactors): void {
  const { a, b, rank, adapter, module } = factors;
  const ofA = a.shape[0];
  const ofB = b.shape[1];
  if (isGrouped(factors)) throw groupedConvolution(factors);
  if (a.shape.length < 2 || ofA === undefined || ofA < 1 || ofA !== ofB) {
    throw new PeruError(
      'mismatch',
      `The factors of "${module}" in ${adapter} do not belong together: lora_A is ${shown(a.shape)}, lora_B is ${shown(b.shape)}.`,
      'Save the adapter again with save_pretrained in PEFT, or download its folder again.',
    );
  }
  if (ofA !== rank) {
    throw new PeruError(
      'mismatch',
      `"${module}" of ${adapter} has rank ${ofA} in its file, but its configuration says ${rank} (r, rank_pattern).`,
      'Keep the adapter_config.json and the adapter_model.safetensors of one save together.',
    );
  }
}

/**
 * Which way round the factors fit the weight.
 *
 * @returns null when they do not fit at all
 */
export function orientationOf(factors: ModuleFactors, weight: TargetWeight): Orientation | null {
  const { a, b, embedding } = factors;
  const [rows, columns] = weight.shape;
  if (embedding) {
    const fits = weight.shape.length === 2 && a.shape.length === 2 && b.shape.length === 2;
    return fits && a.shape[1] === rows && b.shape[0] === columns ? 'turned' : null;
  }
  if (a.shape.length !== weight.shape.length || b.shape.length !== weight.shape.length) return null;
  if (weight.shape.length > 2) {
    const inputsFit = a.shape.slice(1).every((size, i) => size === weight.shape[i + 1]);
    const isPointwise = b.shape.slice(2).every((size) => size === 1);
    return inputsFit && isPointwise && b.shape[0] === rows ? 'plain' : null;
  }
  if (weight.shape.length < 2) return null;
  const plain = b.shape[0] === rows && a.shape[1] === columns;
  const turned = a.shape[1] === rows && b.shape[0] === columns;
  if (plain && turned) return 'either';
  return plain ? 'plain' : turned ? 'turned' : null;
}

/** What the module adds to the weight, once it is known which way round. */
export function moduleOf(
  { a, b, rank, scale }: ModuleFactors,
  weight: TargetWeight,
  turned: boolean,
): AdapterModule {
  const rows = weight.shape[0]!;
  const columns = weight.shape.slice(1).reduce((product, size) => product * size, 1);
  const left = turned
    ? { tensor: a, vectors: 'rows' as const }
    : { tensor: b, vectors: 'columns' as const };
  const right = turned
    ? { tensor: b, vectors: 'columns' as const }
    : { tensor: a, vectors: 'rows' as const };
  return { weight: weight.name, rows, columns, rank, scale, left, right };
}

/** In groups, PEFT makes lora_B with as many groups: each sees its share of the rank. */
function isGrouped({ a, b }: ModuleFactors): boolean {
  const [rank, share] = [a.shape[0] ?? 0, b.shape[1] ?? 0];
  return a.shape.length > 2 && share > 0 && share < rank && rank % share === 0;
}

/** Whether lora_A reads all inputs of a convolution whose weight has those of one group only. */
function hasGroups({ a }: ModuleFactors, { shape }: TargetWeight): boolean {
  const [out, inputs, ...kernel] = shape;
  const [, all, ...ofA] = a.shape;
  if (kernel.length === 0 || String(kernel) !== String(ofA)) return false;
  const groups = all! / inputs!;
  return groups > 1 && Number.isInteger(groups) && out! % groups === 0;
}

function groupedConvolution({ adapter, module }: ModuleFactors): PeruError {
  return new PeruError(
    'unsupported',
    `"${module}" of ${adapter} is a convolution in groups: its update is no product of two factors that could be merged, and PEFT itself does not merge it.`,
    'Train the adapter without this layer: leave it out of target_modules.',
  );
}

/** The refusal where `orientationOf` gives null. */
export function doesNotFit(factors: ModuleFactors, base: string, weight: TargetWeight): PeruError {
  if (hasGroups(factors, weight)) return groupedConvolution(factors);
  const { adapter, module, a, b } = factors;
  return new PeruError(
    'mismatch',
    `"${module}" of ${adapter} does not fit ${base}: lora_A ${shown(a.shape)} and lora_B ${shown(b.shape)} make no update of "${weight.name}" ${shown(weight.shape)}.`,
    'Add the base that the adapter was trained on: another size or vocabulary is another model.',
  );
}

export function shown(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** @throws PeruError `unsupported` for a tensor of the base that is not stored as numbers */
export function checkBaseDtype(base: PlannedCheckpoint, name: string): void {
  const { dtype } = base.tensors.get(name)!;
  if (isFloatDtype(dtype)) return;
  throw new PeruError(
    'unsupported',
    `${base.name} stores "${name}", which an adapter changes, as ${dtype}; Peru adapts F32, F16 and BF16.`,
    'Add the base as it was before quantisation, in one of these.',
  );
}
