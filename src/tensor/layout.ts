/**
 * The flat parameter space: every floating tensor of the fine-tuned models, laid end to end in
 * canonical order (names sorted bytewise), row-major, without gaps. A global selection is a
 * selection in this space, and "lowest flat index first" means lowest here.
 */
import { type FloatDtype } from './dtype';

export interface TensorSpan {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element in the flat space. */
  readonly flatStart: number;
  readonly elementCount: number;
}

export interface FlatLayout {
  /** Canonical order; zero-size tensors are legal and take no room. */
  readonly tensors: readonly TensorSpan[];
  readonly elementCount: number;
}

/**
 * A run of the flat space that is uploaded, bound and dispatched as one. Inside a chunk each
 * checkpoint has a single dtype; chunks tile the space in order and may cut through tensors.
 */
export interface Chunk {
  readonly index: number;
  readonly flatStart: number;
  readonly elementCount: number;
  /** Dtype of the base, then of each task's checkpoint, in this chunk. */
  readonly dtypes: readonly FloatDtype[];
}

/** Sorts names bytewise by their UTF-8 form and lays the tensors end to end. */
export function flatLayout(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
): FlatLayout {
  const encoder = new TextEncoder();
  const keyed = tensors.map((tensor) => ({ tensor, key: encoder.encode(tensor.name) }));
  keyed.sort((a, b) => compareBytes(a.key, b.key));
  let flatStart = 0;
  const spans = keyed.map(({ tensor: { name, shape } }) => {
    const elementCount = shape.reduce((product, size) => product * size, 1);
    const span: TensorSpan = { name, shape, flatStart, elementCount };
    flatStart += elementCount;
    return span;
  });
  return { tensors: spans, elementCount: flatStart };
}

/**
 * Cuts the flat space into chunks of at most `maxElements`, cutting also wherever any checkpoint
 * changes dtype. Every tensor's part counts as a multiple of 8 elements, which is how engines may
 * lay it out; tensors are cut only at multiples of 8 of their own elements.
 *
 * @param dtypeOf dtype of tensor `name` in checkpoint `index` (0 = base, then the tasks)
 */
export function planChunks(
  layout: FlatLayout,
  checkpointCount: number,
  dtypeOf: (checkpointIndex: number, name: string) => FloatDtype,
  maxElements: number,
): Chunk[] {
  const limit = Math.max(8, Math.floor(maxElements / 8) * 8);
  const chunks: Chunk[] = [];
  let [start, end, room] = [0, 0, limit];
  let dtypes: FloatDtype[] = [];
  const close = (): void => {
    const elementCount = end - start;
    if (elementCount > 0)
      chunks.push({ index: chunks.length, flatStart: start, elementCount, dtypes });
    [start, room] = [end, limit];
  };
  for (const tensor of layout.tensors) {
    if (tensor.elementCount === 0) continue;
    const here = Array.from({ length: checkpointCount }, (_, i) => dtypeOf(i, tensor.name));
    if (here.some((dtype, i) => dtype !== dtypes[i])) {
      close();
      dtypes = here;
    }
    for (let left = tensor.elementCount; left > 0;) {
      if (room === 0) close();
      const part = Math.min(left, room);
      room -= Math.ceil(part / 8) * 8;
      end += part;
      left -= part;
    }
  }
  close();
  return chunks;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
