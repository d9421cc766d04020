/**
 * How much of a model onnxruntime can take on the CPU. Its wasm addresses 4 GiB, every run copies
 * all weights of a graph in there, and it does not look whether an allocation failed: too large a
 * model would be written over the runtime's own memory. Hence it is never let come to that.
 */
import { PeruError } from '@/core/errors';

/** Bytes of feeds a run may have: 4 GiB less half of one for activations and the runtime itself. */
export const MAX_FEED_BYTES = 2 ** 32 - 2 ** 29;

const GIB = 2 ** 30;
const FLOAT_BYTES = 4;

/**
 * @param name what the weights are of, e.g. "text encoder"
 * @param shapes of all weights of one graph
 * @throws PeruError 'unsupported' where they are too large for the CPU; on a GPU they stay there
 */
export function checkWeightsFit(
  name: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  provider: { readonly kind: 'wasm' | 'webgpu' },
): void {
  if (provider.kind === 'webgpu') return;
  let bytes = 0;
  for (const shape of shapes.values()) bytes += FLOAT_BYTES * shape.reduce((a, b) => a * b, 1);
  if (bytes <= MAX_FEED_BYTES) return;
  throw new PeruError(
    'unsupported',
    `The weights of the ${name} take ${gib(bytes)}, but a model is scored on the CPU here, where ${gib(MAX_FEED_BYTES)} fit.`,
    'Open the page in a browser with WebGPU on a real GPU, or go on without accuracy: merging and export still work.',
  );
}

/** @throws PeruError 'out-of-memory' */
export function checkFeedBytes(bytes: number): void {
  if (bytes <= MAX_FEED_BYTES) return;
  throw new PeruError(
    'out-of-memory',
    `A model's weights and inputs take ${gib(bytes)}, but onnxruntime on the CPU has room for ${gib(MAX_FEED_BYTES)}.`,
    'Take a smaller model, or a browser with WebGPU on a real GPU.',
  );
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
