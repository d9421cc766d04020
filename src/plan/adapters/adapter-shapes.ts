/**
 * How one module's factors lie in its weight (huggingface/peft, `tuners/lora/layer.py`,
 * `get_delta_weight`). With A = lora_A and B = lora_B:
 * linear [out, in]: B A; Conv1D [in, out]: (B A)ᵀ; embedding [count, dim]: (B A)ᵀ;
 * convolution [out, in, ...kernel]: B A over the flattened rest, where B's kernel is 1.
 */
import { type AdapterModule } from '@/formats/lora/adapter-plan';
import { groupedConvolution, listShape } from '@/formats/lora/check-rank';
import { type LoraModule } from '@/formats/lora/lora-adapter';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { type PlannedCheckpoint } from '@/plan/checkpoint-facts';

/** A weight of the base, as a target. */
export interface TargetWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** `plain`: the delta is B A; `turned`: its transpose; `either`: square, shapes do not tell. */
export type Orientation = 'plain' | 'turned' | 'either';

/**
 * Which way round the factors fit the weight.
 *
 * @returns null when they do not fit at all
 */
export function orientationOf(module: LoraModule, weight: TargetWeight): Orientation | null {
  const { a, b, isEmbedding } = module;
  const [rows, columns] = weight.shape;
  if (isEmbedding) {
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
  { a, b, rank, scale }: LoraModule,
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

/** Whether lora_A reads all inputs of a convolution whose weight has those of one group only. */
function hasGroups({ a }: LoraModule, { shape }: TargetWeight): boolean {
  const [out, inputs, ...kernel] = shape;
  const [, all, ...ofA] = a.shape;
  if (kernel.length === 0 || String(kernel) !== String(ofA)) return false;
  const groups = all! / inputs!;
  return groups > 1 && Number.isInteger(groups) && out! % groups === 0;
}

/** The refusal where `orientationOf` gives null. */
export function doesNotFit(
  adapter: string,
  module: LoraModule,
  base: string,
  weight: TargetWeight,
): PeruError {
  const { path, a, b } = module;
  if (hasGroups(module, weight)) return groupedConvolution(adapter, path);
  return new PeruError(
    'mismatch',
    `"${path}" of ${adapter} does not fit ${base}: lora_A ${listShape(a.shape)} and lora_B ${listShape(b.shape)} make no update of "${weight.name}" ${listShape(weight.shape)}.`,
    'Add the base that the adapter was trained on: another size or vocabulary is another model.',
  );
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
