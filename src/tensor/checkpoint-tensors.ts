/** One checkpoint's tensors, from one file or several shards, ready to be read by ranges. */
import { type ByteSource } from './byte-source';
import { bytesPerElement, type FloatDtype, isFloatDtype } from './dtype';
import { PeruError } from '@/core/errors';
import { type FilePart, readParts } from './file-parts';
import { type FlatLayout, type TensorSpan } from './layout';
import { type SafetensorsHeader, type TensorInfo } from './safetensors';

/** A tensor and the file it lies in. */
export interface StoredTensor extends TensorInfo {
  readonly fileName: string;
  readonly source: ByteSource;
}

export interface CheckpointTensors {
  /** The checkpoint's name, for messages. */
  readonly name: string;
  /** In the order of the header(s). */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Bytes of its safetensors file(s). */
  readonly byteLength: number;
}

/**
 * Joins one or more files into one checkpoint.
 *
 * @throws PeruError `parse` when a tensor stands in two of the files
 */
export function checkpointTensors(
  name: string,
  files: readonly { readonly blob: ByteSource; readonly header: SafetensorsHeader }[],
): CheckpointTensors {
  const tensors = new Map<string, StoredTensor>();
  let byteLength = 0;
  for (const { blob, header } of files) {
    byteLength += header.byteLength;
    for (const [tensorName, info] of header.tensors) {
      const other = tensors.get(tensorName);
      if (other !== undefined) {
        throw new PeruError(
          'parse',
          `Tensor "${tensorName}" stands in two shards of ${name}: ${other.fileName} and ${header.fileName}.`,
          'Keep only the shards of one save, those its index names, and add the folder again.',
        );
      }
      tensors.set(tensorName, { ...info, fileName: header.fileName, source: blob });
    }
  }
  return { name, tensors, byteLength };
}

/**
 * Reads elements [flatStart, flatStart + elementCount) of the flat space from one checkpoint, in
 * the file's dtype, as one run of bytes: what `WeightGroup.upload` takes for a chunk. Neighbours
 * in a file are read as one, in whatever order they have in the flat space.
 *
 * @param signal stops the requests of remote files
 * @throws PeruError `source` when a file can not be read
 * @throws RangeError when the checkpoint lacks a tensor of the range or its dtype changes inside
 */
export async function readFlatRange(
  checkpoint: CheckpointTensors,
  layout: FlatLayout,
  flatStart: number,
  elementCount: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return readParts(flatParts(checkpoint, layout, flatStart, elementCount), signal);
}

/** The parts of the files that hold a range of the flat space, in the order of the space. */
function flatParts(
  checkpoint: CheckpointTensors,
  layout: FlatLayout,
  flatStart: number,
  elementCount: number,
): FilePart[] {
  const flatEnd = flatStart + elementCount;
  const parts: FilePart[] = [];
  const dtypes = new Set<FloatDtype>();
  let elementsFound = 0;
  for (let i = firstSpanAfter(layout.tensors, flatStart); i < layout.tensors.length; i++) {
    const span = layout.tensors[i]!;
    if (span.flatStart >= flatEnd) break;
    if (span.elementCount === 0) continue;
    const stored = checkpoint.tensors.get(span.name);
    if (stored === undefined || !isFloatDtype(stored.dtype)) {
      throw new RangeError(`${checkpoint.name} has no floating tensor "${span.name}".`);
    }
    dtypes.add(stored.dtype);
    const { source, fileName, byteStart } = stored;
    const bytes = bytesPerElement(stored.dtype);
    const from = Math.max(0, flatStart - span.flatStart);
    const to = Math.min(span.elementCount, flatEnd - span.flatStart);
    const [start, end] = [byteStart + from * bytes, byteStart + to * bytes];
    parts.push({ source, fileName, start, end, at: elementsFound * bytes });
    elementsFound += to - from;
  }
  if (dtypes.size > 1) throw new RangeError('A range of the flat space mixes dtypes.');
  if (elementsFound !== elementCount) throw new RangeError('A range leaves the flat space.');
  return parts;
}

/** Index of the first span that ends after `flat`. */
function firstSpanAfter(spans: readonly TensorSpan[], flat: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const span = spans[middle]!;
    if (span.flatStart + span.elementCount > flat) high = middle;
    else low = middle + 1;
  }
  return low;
}
