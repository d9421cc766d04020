/** Copies checkpoints' bytes to the engine, chunk by chunk, and looks for NaN and Inf there. */
import { type CheckpointTensors, readFlatRange } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { type FlatLayout, planChunks } from '@/tensor/layout';
import { type JobEvent } from './protocol';

export interface UploadSpec {
  readonly layout: FlatLayout;
  /** Dtype of a tensor in a checkpoint: 0 is the base, t + 1 is task t. */
  readonly dtypeOf: (checkpointIndex: number, name: string) => FloatDtype;
  /** Bytes of the layout's tensors over all checkpoints. */
  readonly uploadBytes: number;
  /** The base, then the tasks; a base alone is enough to lay it out. */
  readonly checkpoints: readonly CheckpointTensors[];
}

export interface UploadOptions {
  readonly allowNonFinite: boolean;
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * @throws PeruError `source` for a file that can not be read, `non-finite` naming tensors and
 *   counts unless allowed
 */
export async function uploadCheckpoints(
  engine: Engine,
  { layout, dtypeOf, uploadBytes, checkpoints }: UploadSpec,
  { allowNonFinite, emit, signal }: UploadOptions,
): Promise<WeightGroup> {
  const taskCount = checkpoints.length - 1;
  const maxElements = engine.maxChunkElements(taskCount);
  const chunks = planChunks(layout, checkpoints.length, dtypeOf, maxElements);
  const weights = engine.createGroup({ layout, chunks, taskCount });
  let done = 0;
  for (const { index, flatStart, elementCount } of chunks) {
    for (const [checkpointIndex, checkpoint] of checkpoints.entries()) {
      const bytes = await readFlatRange(checkpoint, layout, flatStart, elementCount, signal);
      signal.throwIfAborted();
      weights.upload(checkpointIndex, index, bytes);
      done += bytes.byteLength;
      emit({
        type: 'progress',
        progress: { stage: 'Loading weights', done, total: uploadBytes, unit: 'bytes' },
      });
    }
  }
  if (!allowNonFinite) await refuseNonFiniteWeights(weights, checkpoints);
  return weights;
}

async function refuseNonFiniteWeights(
  weights: WeightGroup,
  checkpoints: readonly CheckpointTensors[],
): Promise<void> {
  for (const [index, { name }] of checkpoints.entries()) {
    const counts = await weights.countNonFinite(index);
    refuseNonFinite(
      name,
      weights.layout.tensors.map((tensor, i) => ({ name: tensor.name, count: counts[i] ?? 0 })),
    );
  }
}

/** @throws PeruError `non-finite` naming the tensors that hold NaN or Inf, with their counts */
export function refuseNonFinite(
  checkpoint: string,
  tensors: readonly { readonly name: string; readonly count: number }[],
): void {
  const bad = tensors.filter(({ count }) => count > 0);
  if (bad.length === 0) return;
  const listed = bad.slice(0, 3).map(({ name, count }) => `"${name}" (${count})`);
  const more = bad.length > 3 ? ` and ${bad.length - 3} more tensors` : '';
  throw new PeruError(
    'non-finite',
    `${checkpoint} holds NaN or Inf in ${listed.join(', ')}${more}.`,
    'Use a checkpoint from before training diverged, or go on if you know what these entries are.',
  );
}
