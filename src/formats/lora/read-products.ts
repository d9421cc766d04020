/** Reads the factors of a planned adapter, in their file's dtype: what `LowRankProduct` takes. */
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { readRange } from '@/tensor/safetensors';
import { type AdapterModule, type FactorLocation, type PlannedAdapter } from './adapter-plan';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Called with the bytes of each tensor read. */
  readonly onBytes?: (byteLength: number) => void;
}

/**
 * One product a module, of one term each, in the plan's order.
 *
 * @throws PeruError `source` when the file can not be read, `mismatch` when every product is zero:
 *   the adapter was saved before training, and would change nothing
 */
export async function readProducts(
  adapter: Pick<PlannedAdapter, 'name' | 'modules'>,
  options: ReadOptions = {},
): Promise<LowRankProduct[]> {
  const products: LowRankProduct[] = [];
  let changes = false;
  for (const module of adapter.modules) {
    const product = await readProduct(module, options);
    options.signal?.throwIfAborted();
    products.push(product);
    changes ||= !isZero(product);
  }
  if (!changes) throw neverTrained(adapter);
  return products;
}

/**
 * One tensor's bytes, in its file's dtype; for a copy in `PlannedAdapter.replaced`.
 *
 * @throws PeruError `source` when the file can not be read
 */
export async function readStored(
  { source, byteStart, byteLength, fileName }: StoredTensor,
  options: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = options;
  const bytes = await readRange(source, byteStart, byteStart + byteLength, fileName, signal);
  options.onBytes?.(byteLength);
  return bytes;
}

async function readProduct(module: AdapterModule, options: ReadOptions): Promise<LowRankProduct> {
  const { weight: name, rows, columns, rank, scale: coefficient } = module;
  const left = await readFactor(module.left, options);
  const right = await readFactor(module.right, options);
  return { name, rows, columns, terms: [{ rank, coefficient, left, right }] };
}

async function readFactor(
  { tensor, vectors }: FactorLocation,
  options: ReadOptions,
): Promise<Factor> {
  const { dtype, fileName, name } = tensor;
  if (!isFloatDtype(dtype))
    throw new RangeError(`"${name}" of ${fileName} was planned as ${dtype}.`);
  return { bytes: await readStored(tensor, options), dtype, vectors };
}

function isZero({ terms }: LowRankProduct): boolean {
  return terms.every(
    ({ coefficient, left, right }) =>
      coefficient === 0 || hasOnlyZeros(left) || hasOnlyZeros(right),
  );
}

/** All elements are 0 or -0. The sign stands in the last byte of an element, in every dtype. */
function hasOnlyZeros({ bytes, dtype }: Factor): boolean {
  const last = dtype === 'F32' ? 3 : 1;
  return bytes.every((byte, i) => byte === 0 || (byte === 0x80 && (i & last) === last));
}

function neverTrained({ name, modules }: Pick<PlannedAdapter, 'name' | 'modules'>): PeruError {
  const count = modules.length === 1 ? 'its only module' : `all its ${modules.length} modules`;
  return new PeruError(
    'mismatch',
    `${name} changes nothing: in ${count} a factor (lora_B as a rule) is zero throughout, as it is before training.`,
    'Add the adapter as it was saved after training.',
  );
}
