/** Reads the factors of a LoRA file's modules, in their file's dtype: terms of products. */
import { PeruError } from '@/core/errors';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { type FilePart, readParts } from '@/tensor/file-parts';
import { decodeFloats } from '@/tensor/half';
import { type Factor, type LowRankTerm } from '@/tensor/low-rank';
import { type LoraFile, type LoraFileModule } from './lora-file';

/**
 * The scales of all modules: alpha / r, or what a configuration says.
 *
 * @throws PeruError `mismatch` for an alpha that is 0, negative or no number, `source` when the file
 *   can not be read
 */
export async function readScales(file: LoraFile, signal?: AbortSignal): Promise<number[]> {
  const values = await readAlphas(file, signal);
  return file.modules.map(({ key, alpha, configuredScale, rank }) => {
    if (alpha === null) return checkedScale(file, key, configuredScale, 'its scale');
    const value = floatsOf(values.get(alpha)!, alpha)[0]!;
    return checkedScale(file, key, value, `"${alpha.name}"`) / rank;
  });
}

/** Of a file elsewhere, whole modules at a time: numbers by themselves would be a request each. */
const REMOTE_BYTES = 2 ** 24;

async function readAlphas(
  { modules }: LoraFile,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<StoredTensor, Uint8Array<ArrayBuffer>>> {
  const own = modules.filter(({ alpha }) => alpha !== null);
  if (own.every(({ up }) => up.source instanceof Blob)) {
    return readTensors(
      own.map(({ alpha }) => alpha!),
      signal,
    );
  }
  const found = new Map<StoredTensor, Uint8Array<ArrayBuffer>>();
  for (let from = 0; from < own.length;) {
    let [to, bytes] = [from, 0];
    for (; to < own.length && (to === from || bytes < REMOTE_BYTES); to++) {
      bytes += own[to]!.up.byteLength + own[to]!.down.byteLength;
    }
    const batch = own.slice(from, to);
    const tensors = batch.flatMap(({ alpha, down, mid, up }) => [
      alpha!,
      down,
      ...(mid === null ? [] : [mid]),
      up,
    ]);
    const read = await readTensors(tensors, signal);
    for (const { alpha } of batch) found.set(alpha!, read.get(alpha!)!.slice());
    from = to;
  }
  return found;
}

/**
 * One term a module, in the order given, its coefficient the module's scale.
 *
 * @throws PeruError `source` when the file can not be read
 */
export async function readTerms(
  modules: readonly { readonly module: LoraFileModule; readonly scale: number }[],
  signal?: AbortSignal,
): Promise<LowRankTerm[]> {
  const tensors = modules.flatMap(({ module: { down, mid, up } }) =>
    mid === null ? [down, up] : [down, mid, up],
  );
  const bytes = await readTensors(tensors, signal);
  return modules.map(({ module, scale }): LowRankTerm => {
    const { up, down, mid, rank, spelling } = module;
    const [left, right]: readonly Factor['vectors'][] = spelling.isTransposed
      ? ['rows', 'columns']
      : ['columns', 'rows'];
    const factor = (tensor: StoredTensor, vectors: Factor['vectors']): Factor =>
      factorOf(bytes.get(tensor)!, tensor, vectors);
    return {
      rank,
      coefficient: scale,
      left: factor(up, left!),
      right:
        mid === null
          ? factor(down, right!)
          : foldedCore(floatsOf(bytes.get(down)!, down), floatsOf(bytes.get(mid)!, mid), module),
    };
  });
}

/**
 * What a module adds to its layer's outputs beside the product, as its file has it, before any scale.
 *
 * @param bias of a module
 * @returns one number an output
 * @throws PeruError `source` when the file can not be read
 */
export async function readBias(
  bias: StoredTensor,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  return floatsOf((await readTensors([bias], signal)).get(bias)!, bias);
}

/** Bytes by tensor; neighbours in the file are read as one. */
async function readTensors(
  tensors: readonly StoredTensor[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<StoredTensor, Uint8Array<ArrayBuffer>>> {
  let at = 0;
  const parts = tensors.map((tensor): FilePart => {
    const { source, fileName, byteStart, byteLength } = tensor;
    const part = { source, fileName, start: byteStart, end: byteStart + byteLength, at };
    at += byteLength;
    return part;
  });
  const all = await readParts(parts, signal);
  return new Map(
    tensors.map((tensor, i) => {
      const { at: from } = parts[i]!;
      return [tensor, all.subarray(from, from + tensor.byteLength)] as const;
    }),
  );
}

function factorOf(
  bytes: Uint8Array<ArrayBuffer>,
  tensor: StoredTensor,
  vectors: Factor['vectors'],
): Factor {
  const { dtype } = tensor;
  // A factor's bytes are copied to the engine from their own buffer.
  if (isFloatDtype(dtype)) return { bytes: bytes.slice(), dtype, vectors };
  return { bytes: bytesOf(floatsOf(bytes, tensor)), dtype: 'F32', vectors };
}

/**
 * right[p, (i, h, w)] = sum_q mid[p, q, h, w] down[q, i], summed in float64: the product up right is
 * then the Tucker product's, exactly but for one rounding to float32.
 *
 * @param down [q, i]
 * @param mid [p, q, h * w]
 */
function foldedCore(
  down: Float32Array,
  mid: Float32Array,
  { rank, columns, inputShape }: LoraFileModule,
): Factor {
  const channels = inputShape[0]!;
  const points = columns / channels;
  const inner = mid.length / (rank * points);
  const values = new Float32Array(rank * columns);
  for (let p = 0; p < rank; p++) {
    for (let i = 0; i < channels; i++) {
      for (let point = 0; point < points; point++) {
        let sum = 0;
        for (let q = 0; q < inner; q++) {
          sum += mid[(p * inner + q) * points + point]! * down[q * channels + i]!;
        }
        values[p * columns + i * points + point] = sum;
      }
    }
  }
  return { bytes: bytesOf(values), dtype: 'F32', vectors: 'rows' };
}

/** F64 is rounded to float32; whole numbers are those of an alpha. */
function floatsOf(
  bytes: Uint8Array<ArrayBuffer>,
  { dtype }: StoredTensor,
): Float32Array<ArrayBuffer> {
  const { buffer } = bytes.slice();
  if (dtype === 'F64') return Float32Array.from(new Float64Array(buffer));
  if (dtype === 'I64') return Float32Array.from(new BigInt64Array(buffer), Number);
  if (dtype === 'I32') return Float32Array.from(new Int32Array(buffer));
  return decodeFloats(bytes, dtype as FloatDtype);
}

function bytesOf({ buffer }: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}

function checkedScale({ label }: LoraFile, key: string, value: number, what: string): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new PeruError(
    'mismatch',
    `${what} for "${key}" of ${label} is ${value}: no scale can be made of it.`,
    'Save the file again with the alpha that it was trained with; leave it out to go on with the others.',
  );
}
