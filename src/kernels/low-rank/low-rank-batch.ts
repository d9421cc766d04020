/** A batch of low-rank products on the GPU: its tables, the factors' bytes, and what they become. */
import { type BufferScope } from '@/gpu/buffers';
import { type DeviceHandle } from '@/gpu/device';
import { type ParamsCache } from '@/gpu/params';
import { bytesPerElement } from '@/tensor/dtype';
import { invariantError, PeruError } from '@/core/errors';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { type BatchPlan, largestWork, planBatch, scratchBytes } from './low-rank-plan';

/** Most bytes of a batch's largest buffer, where the device would allow more. */
const BATCH_BYTES = 256 * 2 ** 20;
/** Most flops of a batch's longest dispatch: 50 ms on an integrated GPU that does 160 GFLOP/s. */
const BATCH_FLOPS = 8e9;

/** What a factorisation leaves behind. */
export interface Factorized {
  /** Scaled by 2^-exponent, by triplet of the batch. */
  readonly sigmas: Float32Array;
  /** By product of the batch; even. */
  readonly exponents: readonly number[];
  /** U sqrt(S) and V sqrt(S) of every side, columns one after the other, scaled by 2^-exponent/2. */
  readonly balanced: GPUBuffer;
  /** The column table of `balanced`, and where each side's rows start in it. */
  readonly columnTable: GPUBuffer;
  readonly firstColumns: readonly number[];
}

export interface LowRankBatch {
  readonly plan: BatchPlan;
  readonly arena: GPUBuffer;
  readonly sides: GPUBuffer;
  readonly columnTable: GPUBuffer;
  readonly products: GPUBuffer;
  readonly jobs: GPUBuffer;
}

/** What every operation on low-rank products works with. */
export interface LowRankContext {
  readonly handle: DeviceHandle;
  readonly params: ParamsCache;
  readonly products: readonly LowRankProduct[];
  /** Of everything that lives as long as the group. */
  readonly scope: BufferScope;
}

/**
 * Splits products into batches: as few as buffers and the length of a dispatch allow, one for all
 * adapters of most models.
 *
 * @throws PeruError `out-of-memory` naming a product that is too large on its own, `internal` for
 *   factors whose bytes are not those of their shape
 */
export function planBatches(
  limits: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>,
  products: readonly LowRankProduct[],
): BatchPlan[] {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const room = Math.min(most, BATCH_BYTES);
  const batches: number[][] = [];
  let [bytes, work] = [Infinity, 0];
  products.forEach((product, index) => {
    checkProduct(product);
    const itsBytes = scratchBytes(product);
    if (itsBytes > most) throw tooLarge(product, itsBytes, most);
    if (bytes + itsBytes > room || work + largestWork(product) > BATCH_FLOPS) {
      batches.push([]);
      [bytes, work] = [0, 0];
    }
    batches.at(-1)!.push(index);
    bytes += itsBytes;
    work += largestWork(product);
  });
  return batches.map((indices) => planBatch(products, indices));
}

/** Creates a batch's buffers and copies tables and factors; call inside `withErrorScopes`. */
export function createBatch(
  handle: DeviceHandle,
  scope: BufferScope,
  plan: BatchPlan,
): LowRankBatch {
  const { queue } = handle.device;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const table = (label: string, words: Uint32Array<ArrayBuffer>): GPUBuffer => {
    const buffer = scope.create(label, words.byteLength, usage);
    queue.writeBuffer(buffer, 0, words);
    return buffer;
  };
  const arena = scope.create('factors', plan.arenaBytes, usage);
  for (const { factor, byteOffset } of plan.factors) {
    writeBytes(queue, arena, byteOffset, factor.bytes);
  }
  return {
    plan,
    arena,
    sides: table('sides', plan.words.sides),
    columnTable: table('columns', plan.words.columns),
    products: table('products', plan.words.products),
    jobs: table('jobs', plan.words.jobs),
  };
}

/** WebGPU writes multiples of four bytes: an odd last half is padded by a zero. */
function writeBytes(
  queue: GPUQueue,
  buffer: GPUBuffer,
  offset: number,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const whole = bytes.byteLength - (bytes.byteLength % 4);
  if (whole > 0) queue.writeBuffer(buffer, offset, bytes, 0, whole);
  if (whole === bytes.byteLength) return;
  const tail = new Uint8Array(4);
  tail.set(bytes.subarray(whole));
  queue.writeBuffer(buffer, offset + whole, tail);
}

function checkProduct(product: LowRankProduct): void {
  const { name, rows, columns, terms } = product;
  if (terms.length === 0 || rows < 1 || columns < 1) {
    throw invariantError(`The product for "${name}" has no terms or no entries.`);
  }
  for (const { rank, coefficient, left, right } of terms) {
    if (rank < 1 || !Number.isFinite(coefficient)) {
      throw invariantError(`A term for "${name}" has rank ${rank} and coefficient ${coefficient}.`);
    }
    checkFactor(name, left, rows, rank);
    checkFactor(name, right, columns, rank);
  }
}

function checkFactor(name: string, factor: Factor, length: number, rank: number): void {
  const expected = length * rank * bytesPerElement(factor.dtype);
  if (factor.bytes.byteLength === expected) return;
  throw invariantError(
    `A factor for "${name}" has ${factor.bytes.byteLength} bytes; ${length} x ${rank} ${factor.dtype} take ${expected}.`,
  );
}

function tooLarge({ name, rows, columns }: LowRankProduct, bytes: number, most: number): PeruError {
  return new PeruError(
    'out-of-memory',
    `The factors for "${name}" (${rows} x ${columns}) need one GPU buffer of ${bytes} bytes; this device allows ${most}.`,
    'Use fewer adapters or adapters of lower rank, or a device with larger buffers.',
  );
}
