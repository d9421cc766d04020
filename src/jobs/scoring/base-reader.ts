/** Reads tensors of the base for the evaluator: those asked for together, neighbours at one go. */
import { type ByteSource } from '@/tensor/byte-source';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type FloatDtype, isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { decodeFloats } from '@/tensor/half';
import { readRange } from '@/tensor/safetensors';

/** Longest read, in bytes: of what comes, all but the numbers made of it is dropped at once. */
const MOST_BYTES = 32 * 1024 * 1024;

interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

interface Wanted {
  readonly tensor: StoredTensor;
  readonly dtype: FloatDtype;
  readonly resolve: (found: FloatTensor) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A reader of the base's tensors as float32. What is asked for before the next task of the event
 * loop is read together, so that a text tower is a few requests and not two hundred.
 *
 * @throws PeruError from the reader: `mismatch` when there is no such floating tensor
 */
export function baseReader(checkpoint: CheckpointTensors): (name: string) => Promise<FloatTensor> {
  let waiting: Wanted[] = [];
  const readAll = (): void => {
    const runs = neighbours(waiting);
    waiting = [];
    for (const run of runs) {
      readRun(run).catch((reason: unknown) => {
        for (const { reject } of run) reject(reason);
      });
    }
  };
  return async (name) => {
    const tensor = checkpoint.tensors.get(name);
    if (tensor === undefined || !isFloatDtype(tensor.dtype)) throw noTensor(checkpoint, name);
    const { dtype } = tensor;
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setTimeout(readAll);
      waiting.push({ tensor, dtype, resolve, reject });
    });
  };
}

function noTensor(checkpoint: CheckpointTensors, name: string): PeruError {
  return new PeruError(
    'mismatch',
    `${checkpoint.name} has no floating tensor "${name}", which its config.json calls for.`,
    'Use the complete base model, with its text tower and projections.',
  );
}

/** Cuts into runs that lie end to end in one file, none longer than a read may be. */
function neighbours(wanted: readonly Wanted[]): Wanted[][] {
  const sorted = [...wanted].sort((a, b) => a.tensor.byteStart - b.tensor.byteStart);
  const open = new Map<ByteSource, Wanted[]>();
  const runs: Wanted[][] = [];
  for (const one of sorted) {
    const { blob, byteStart, byteLength } = one.tensor;
    const run = open.get(blob);
    const [first, last] = [run?.[0]?.tensor, run?.at(-1)?.tensor];
    const follows = last !== undefined && last.byteStart + last.byteLength === byteStart;
    if (run && first && follows && byteStart + byteLength - first.byteStart <= MOST_BYTES) {
      run.push(one);
      continue;
    }
    const next = [one];
    open.set(blob, next);
    runs.push(next);
  }
  return runs;
}

async function readRun(run: readonly Wanted[]): Promise<void> {
  const { blob, byteStart: start, fileName } = run[0]!.tensor;
  const { byteStart, byteLength } = run.at(-1)!.tensor;
  const bytes = await readRange(blob, start, byteStart + byteLength, fileName);
  for (const { tensor, dtype, resolve } of run) {
    const from = tensor.byteStart - start;
    const own = bytes.subarray(from, from + tensor.byteLength);
    resolve({ shape: tensor.shape, data: decodeFloats(own, dtype) });
  }
}
