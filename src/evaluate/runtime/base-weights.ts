/** Weights that come from the base checkpoint, checked and brought to where they are used. */
import { PeruError } from '@/core/errors';
import { type ModelWeights } from '@/tensor/engine';
import { withGpuMemory } from './gpu-memory';
import { type FeedData, type Feeds, type Provider } from './graph-session';

/** Reads one float tensor of the base checkpoint; rejects when it has none of that name. */
export type ReadBaseTensor = (name: string) => Promise<BaseTensor>;

export interface BaseTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Weights ready to feed, and the memory they hold on the GPU. */
export interface ResidentWeights {
  readonly feeds: ReadonlyMap<string, FeedData>;
  /** Bytes of GPU buffers; 0 where weights stay in memory. */
  readonly gpuBytes: number;
  readonly dispose: () => void;
}

/** Shaders read four floats at a time (`FeedData`). */
const BUFFER_ALIGNMENT = 16;

/**
 * Reads weights and, for a GPU, uploads them once rather than with every run.
 *
 * @param shapes names and shapes as the graph wants them
 * @throws PeruError 'mismatch' when a shape differs, 'out-of-memory' when the GPU can not hold them,
 *   and whatever `read` rejects with
 */
export async function loadBaseWeights(
  shapes: ReadonlyMap<string, readonly number[]>,
  read: ReadBaseTensor,
  provider: Provider,
): Promise<ResidentWeights> {
  const entries = await Promise.all(
    [...shapes].map(async ([name, shape]) => {
      const tensor = await read(name);
      checkShape(name, tensor.shape, shape);
      return [name, tensor] as const;
    }),
  );
  if (provider.kind === 'wasm') {
    return { feeds: new Map(entries), gpuBytes: 0, dispose: () => undefined };
  }
  const buffers: GPUBuffer[] = [];
  const dispose = () => {
    for (const buffer of buffers) buffer.destroy();
  };
  const { device } = provider;
  await withGpuMemory(device, 'hold weights', () => {
    for (const [name, { data }] of entries) buffers.push(upload(device, name, data));
    return Promise.resolve();
  }).catch((cause: unknown) => {
    dispose();
    throw cause;
  });
  return {
    feeds: new Map(
      entries.map(([name, { shape }], i) => [name, { shape, data: buffers[i]! }] as const),
    ),
    gpuBytes: buffers.reduce((sum, buffer) => sum + buffer.size, 0),
    dispose,
  };
}

/**
 * What a graph takes of a model's weights, as it is.
 *
 * @param shapes names and shapes as the graph wants them
 * @throws PeruError 'mismatch' when a weight is missing or of another shape
 */
export function modelFeeds(
  shapes: ReadonlyMap<string, readonly number[]>,
  { tensors }: Pick<ModelWeights, 'tensors'>,
): Map<string, FeedData> {
  const feeds = new Map<string, FeedData>();
  for (const [name, shape] of shapes) {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw missingWeight(name);
    checkShape(name, tensor.shape, shape);
    feeds.set(name, tensor);
  }
  return feeds;
}

/** What a graph takes of each model: the same map for as long as it is the same model. */
export class WeightsByModel {
  readonly #made = new WeakMap<object, Feeds>();

  get(model: Pick<ModelWeights, 'tensors'>, make: () => Feeds): Feeds {
    const made = this.#made.get(model.tensors) ?? make();
    this.#made.set(model.tensors, made);
    return made;
  }
}

/** @throws PeruError 'mismatch' */
function checkShape(name: string, found: readonly number[], wanted: readonly number[]): void {
  const same = found.length === wanted.length && found.every((size, i) => size === wanted[i]);
  if (same) return;
  throw new PeruError(
    'mismatch',
    `Tensor ${name} has shape [${found.join(', ')}], but config.json makes it [${wanted.join(', ')}].`,
    'Take config.json and the weights from the same repo.',
  );
}

function missingWeight(name: string): PeruError {
  return new PeruError(
    'mismatch',
    `Tensor ${name} is missing, so the model cannot be scored.`,
    'Add checkpoints of the same architecture and tensor names as the base.',
  );
}

function upload(device: GPUDevice, name: string, data: Float32Array): GPUBuffer {
  const size = Math.ceil(data.byteLength / BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: `evaluate: ${name}`, size, usage });
  device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength);
  return buffer;
}
