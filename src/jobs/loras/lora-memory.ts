/** What LoRA files take on the engine, from their headers. */
import { type LoraFile, type LoraFileModule } from '@/formats/lora-file/lora-file';
import { type SharedModule } from '@/plan/loras/match-files';
import { bytesPerElement, type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type MemoryPlan } from '@/tensor/engine';

const F32_BYTES = 4;
/** Of the budget: a batch's factors, and as much again while the next ones are read. */
const BATCH_SHARE = 4;
const MOST_BATCH_BYTES = 2 ** 28;

/** How products are held, and what they take. */
export interface LoraMemory {
  readonly plan: MemoryPlan;
  /** Whether the files' products, and beside them their sum's, are all held. */
  readonly holdsFiles: boolean;
  readonly holdsSum: boolean;
  readonly batchBytes: number;
}

export function loraMemory(
  files: readonly LoraFile[],
  shared: readonly SharedModule[],
  budgetBytes: number,
): LoraMemory {
  const ofFiles = sum(files.flatMap(({ modules }) => modules.map(productBytes)));
  const ofSum = files.length < 2 ? 0 : sum(shared.map((one) => sumBytes(files, one)));
  const batchBytes = Math.min(MOST_BATCH_BYTES, Math.floor(budgetBytes / BATCH_SHARE));
  const largest = Math.max(
    ...files.flatMap(({ modules }) => modules.map(productBytes)),
    ...shared.map((one) => sumBytes(files, one)),
  );
  const atOnce = 2 * Math.max(batchBytes, largest);
  // What is not held passes in batches, beside what is.
  const holdsFiles = ofFiles + Math.min(ofSum, atOnce) <= budgetBytes;
  const holdsSum = holdsFiles && ofFiles + ofSum <= budgetBytes;
  const parts = [
    { label: 'LoRA files and their SVD', bytes: holdsFiles ? ofFiles : Math.min(ofFiles, atOnce) },
    { label: 'Their sum', bytes: holdsSum ? ofSum : Math.min(ofSum, atOnce) },
  ].filter(({ bytes }) => bytes > 0);
  const peakBytes = sum(parts.map(({ bytes }) => bytes));
  const leastBytes = Math.min(peakBytes, 2 * largest);
  const mode = holdsFiles && holdsSum ? ('resident' as const) : ('streamed' as const);
  return { plan: { mode, peakBytes, leastBytes, parts }, holdsFiles, holdsSum, batchBytes };
}

/** A module's factors as they are stored, and its triplets in float32. */
export function productBytes(module: LoraFileModule): number {
  const { up, rows, columns, rank } = module;
  return factorBytes(up) + rightBytes(module) + svdBytes(rows, columns, rank);
}

/** The same of the sum of all files' products of one module. */
export function sumBytes(
  files: readonly LoraFile[],
  { rows, columns, places }: SharedModule,
): number {
  const own = places.flatMap((place, file) => files[file]!.modules[place] ?? []);
  const rank = sum(own.map((one) => one.rank));
  const factors = sum(own.map((one) => factorBytes(one.up) + rightBytes(one)));
  return factors + svdBytes(rows, columns, rank);
}

/** A Tucker core is folded into down, in float32. */
function rightBytes({ down, mid, rank, columns }: LoraFileModule): number {
  return mid === null ? factorBytes(down) : F32_BYTES * rank * columns;
}

function factorBytes({ dtype, elementCount }: StoredTensor): number {
  const held: FloatDtype = isFloatDtype(dtype) ? dtype : 'F32';
  return elementCount * bytesPerElement(held);
}

function svdBytes(rows: number, columns: number, rank: number): number {
  return F32_BYTES * Math.min(rank, rows, columns) * (rows + columns);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
