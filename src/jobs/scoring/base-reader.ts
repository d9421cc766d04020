/** Reads tensors of the base for the evaluator: those asked for together, neighbours at one go. */
import { type ByteRange, type ByteRun, byteRuns } from '@/core/byte-runs';
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

interface Wanted extends ByteRange {
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
    // Only what lies end to end, and no more than a read may be long.
    const runs = byteRuns(
      waiting,
      ({ start, end, wasted }) => wasted === 0 && end - start <= MOST_BYTES,
    );
    waiting = [];
    for (const run of runs) {
      readRun(run).catch((reason: unknown) => {
        for (const { reject } of run.ranges) reject(reason);
      });
    }
  };
  return async (name) => {
    const tensor = checkpoint.tensors.get(name);
    if (tensor === undefined || !isFloatDtype(tensor.dtype)) throw noTensor(checkpoint, name);
    const { dtype, source, byteStart: start, byteLength } = tensor;
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setTimeout(readAll);
      waiting.push({ source, start, end: start + byteLength, tensor, dtype, resolve, reject });
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

async function readRun({ ranges, start, end }: ByteRun<Wanted>): Promise<void> {
  const { source, fileName } = ranges[0].tensor;
  const bytes = await readRange(source, start, end, fileName);
  for (const { tensor, dtype, resolve } of ranges) {
    const from = tensor.byteStart - start;
    const own = bytes.subarray(from, from + tensor.byteLength);
    resolve({ shape: tensor.shape, data: decodeFloats(own, dtype) });
  }
}
