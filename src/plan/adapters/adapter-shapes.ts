/**
 * How one module's factors lie in its weight (huggingface/peft, `tuners/lora/layer.py`,
 * `get_delta_weight`). With A = lora_A and B = lora_B:
 * linear [out, in]: B A; Conv1D [in, out]: (B A)ᵀ; embedding [count, dim]: (B A)ᵀ;
 * convolution [out, in, ...kernel]: B A over the flattened rest, where B's kernel is 1.
 * Factors that are stored transposed (MLX) are these of the same numbers.
 */
import { type AdaptedLayer, type AdapterModule } from '@/formats/lora/adapter-plan';
import { groupedConvolution, listShape } from '@/formats/lora/check-rank';
import { factorShapes } from '@/formats/lora/factor-shapes';
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
  const { a, b } = factorShapes(module);
  const { length } = weight.shape;
  const [rows, columns] = weight.shape;
  if (module.isEmbedding === true) {
    const fits = length === 2 && a.length === 2 && b.length === 2;
    return fits && a[1] === rows && b[0] === columns ? 'turned' : null;
  }
  if (a.length !== length || b.length !== length) return null;
  if (length > 2) {
    const inputsFit = a.slice(1).every((size, i) => size === weight.shape[i + 1]);
    const isPointwise = b.slice(2).every((size) => size === 1);
    return inputsFit && isPointwise && b[0] === rows ? 'plain' : null;
  }
  if (length < 2) return null;
  const plain = b[0] === rows && a[1] === columns;
  const turned = a[1] === rows && b[0] === columns;
  if (plain && turned) return 'either';
  return plain ? 'plain' : turned ? 'turned' : null;
}

/** What the module adds to the weight, once it is known which way round, and whether it is a table. */
export function moduleOf(
  { a, b, rank, scale, isTransposed }: LoraModule,
  weight: TargetWeight,
  { turned, isTable }: { readonly turned: boolean; readonly isTable: boolean },
): AdapterModule {
  const rows = weight.shape[0]!;
  const columns = weight.shape.slice(1).reduce((product, size) => product * size, 1);
  const inputs = { tensor: a, vectors: isTransposed ? 'columns' : 'rows' } as const;
  const outputs = { tensor: b, vectors: isTransposed ? 'rows' : 'columns' } as const;
  const [left, right] = turned ? [inputs, outputs] : [outputs, inputs];
  const layer = layerOf(weight, { turned, isTable });
  return { weight: weight.name, rows, columns, layer, rank, scale, left, right };
}

function layerOf(
  { shape }: TargetWeight,
  { turned, isTable }: { readonly turned: boolean; readonly isTable: boolean },
): AdaptedLayer {
  if (shape.length > 2) return { convolution: shape };
  if (!turned) return 'linear';
  return isTable ? 'embedding' : 'conv1d';
}

/** Whether lora_A reads all inputs of a convolution whose weight has those of one group only. */
function hasGroups(module: LoraModule, { shape }: TargetWeight): boolean {
  const [out, inputs, ...kernel] = shape;
  const [, all, ...ofA] = factorShapes(module).a;
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
  const { path, a, b, isTransposed } = module;
  if (hasGroups(module, weight)) return groupedConvolution(adapter, path);
  const [nameOfA, nameOfB] = isTransposed ? ['lora_a', 'lora_b'] : ['lora_A', 'lora_B'];
  return new PeruError(
    'mismatch',
    `"${path}" of ${adapter} does not fit ${base}: ${nameOfA} ${listShape(a.shape)} and ${nameOfB} ${listShape(b.shape)} make no update of "${weight.name}" ${listShape(weight.shape)}.`,
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
