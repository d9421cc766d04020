/**
 * Gets checkpoints' weights to the engine: chunk by chunk into a group that holds them, or into
 * one that reads them when it needs them. Looks for NaN and Inf there.
 */
import { type CheckpointTensors, readFlatRange } from '@/tensor/checkpoint-tensors';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type Engine, type GroupSpec, type WeightGroup } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { type Chunk, type FlatLayout, planChunks } from '@/tensor/layout';
import { readAhead } from '@/tensor/read-ahead';
import { type FetchedBytes } from '@/jobs/context/fetched-bytes';
import { type JobContext } from '@/jobs/context/job-context';

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
  readonly emit: JobContext['emit'];
  readonly signal: AbortSignal;
  /** What comes over the network meanwhile: a large chunk would else show no progress. */
  readonly fetched?: FetchedBytes;
  /** Whose abort ends what is computed of the group later on; default: nobody's. */
  readonly job?: Pick<JobContext, 'signal'>;
}

/** Bytes that may be under way while others are copied: small chunks of the Hub wait less. */
const WINDOW_BYTES = 64 * 2 ** 20;

/**
 * Copies all weights into a new group.
 *
 * @param chunks default: as large as the engine takes them
 * @throws PeruError `source` for a file that can not be read, `non-finite` naming tensors and
 *   counts unless allowed
 */
export async function uploadCheckpoints(
  engine: Engine,
  spec: UploadSpec,
  options: UploadOptions,
  chunks = chunksOf(spec, engine.maxChunkElements(spec.checkpoints.length - 1)),
): Promise<WeightGroup> {
  const { layout, checkpoints } = spec;
  const taskCount = checkpoints.length - 1;
  const { job } = options;
  const weights = engine.createGroup({ layout, chunks, taskCount, ...(job && { job }) });
  try {
    await fill(weights, chunks, spec, options);
    if (!options.allowNonFinite) await refuseNonFiniteWeights(weights, checkpoints);
    return weights;
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

function chunksOf(
  { layout, dtypeOf, checkpoints }: UploadSpec,
  maxElements: number,
): readonly Chunk[] {
  return planChunks(layout, checkpoints.length, dtypeOf, maxElements);
}

async function fill(
  weights: WeightGroup,
  chunks: readonly Chunk[],
  { layout, uploadBytes, checkpoints }: UploadSpec,
  { emit, signal, fetched }: UploadOptions,
): Promise<void> {
  const parts = chunks.flatMap((chunk) =>
    checkpoints.map((checkpoint, index) => ({ chunk, checkpoint, index })),
  );
  const fetchedBefore = fetched?.loaded ?? 0;
  let uploaded = 0;
  const tell = (): void => {
    const arrived = (fetched?.loaded ?? 0) - fetchedBefore;
    const done = Math.min(uploadBytes, Math.max(uploaded, arrived));
    const progress = { stage: 'Loading weights', done, total: uploadBytes, unit: 'bytes' as const };
    emit({ type: 'progress', progress });
  };
  if (fetched) fetched.onArrival = tell;
  try {
    const reads = readAhead(parts, {
      bytesOf: ({ chunk, index }) => chunk.elementCount * bytesPerElement(chunk.dtypes[index]!),
      windowBytes: WINDOW_BYTES,
      read: ({ chunk, checkpoint }, stop) =>
        readFlatRange(checkpoint, layout, chunk.flatStart, chunk.elementCount, stop),
      signal,
    });
    for await (const { item, result } of reads) {
      signal.throwIfAborted();
      weights.upload(item.index, item.chunk.index, result);
      uploaded += result.byteLength;
      tell();
    }
  } finally {
    if (fetched) fetched.onArrival = null;
  }
}

/** Bytes that streamed weights bring in a stage that reads all of them once. */
export class StreamProgress {
  readonly #total: number;
  readonly #context: JobContext;
  #stage: string | null = null;
  #done = 0;

  constructor(totalBytes: number, context: JobContext) {
    this.#total = totalBytes;
    this.#context = context;
  }

  begin(stage: string): void {
    this.#stage = stage;
    this.#done = 0;
  }

  end(): void {
    this.#stage = null;
  }

  add(bytes: number): void {
    if (this.#stage === null) return;
    this.#done = Math.min(this.#total, this.#done + bytes);
    const progress = { stage: this.#stage, done: this.#done, total: this.#total };
    this.#context.emit({ type: 'progress', progress: { ...progress, unit: 'bytes' } });
  }
}

/**
 * A group that reads its weights when they are needed, and stops with the job that needs them.
 * Looking for NaN and Inf reads all of them once, which also brings those of a Hub to this disk.
 *
 * @throws PeruError as `uploadCheckpoints`
 */
export async function streamCheckpoints(
  engine: Engine,
  spec: UploadSpec,
  chunks: readonly Chunk[],
  budgetBytes: number,
  context: JobContext,
  { allowNonFinite }: Pick<UploadOptions, 'allowNonFinite'>,
): Promise<{ readonly weights: WeightGroup; readonly progress: StreamProgress }> {
  const { layout, checkpoints, uploadBytes } = spec;
  const progress = new StreamProgress(uploadBytes, context);
  const read: NonNullable<GroupSpec['streamed']>['read'] = async (checkpoint, chunkIndex) => {
    // Files of this disk can not be stopped half-way, but need not be begun.
    context.signal.throwIfAborted();
    const { flatStart, elementCount } = chunks[chunkIndex]!;
    const from = checkpoints[checkpoint]!;
    const bytes = await readFlatRange(from, layout, flatStart, elementCount, context.signal);
    progress.add(bytes.byteLength);
    return bytes;
  };
  const streamed = { read, budgetBytes };
  const taskCount = checkpoints.length - 1;
  const weights = engine.createGroup({ layout, chunks, taskCount, streamed, job: context });
  try {
    progress.begin('Checking weights');
    if (!allowNonFinite) await refuseNonFiniteWeights(weights, checkpoints);
    progress.end();
    return { weights, progress };
  } catch (error) {
    weights.dispose();
    throw error;
  }
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
  canLeaveOut = true,
): void {
  const bad = tensors.filter(({ count }) => count > 0);
  if (bad.length === 0) return;
  const listed = bad.slice(0, 3).map(({ name, count }) => `"${name}" (${count})`);
  const more = bad.length > 3 ? ` and ${bad.length - 3} more tensors` : '';
  throw new PeruError(
    'non-finite',
    `${checkpoint} holds NaN or Inf in ${listed.join(', ')}${more}.`,
    'Use a checkpoint from before training diverged, or go on if you know what these entries are.',
    { exclude: canLeaveOut && bad.length < tensors.length ? bad.map(({ name }) => name) : [] },
  );
}
