/** theta* as it is stored, from the GPU to memory. */
import { invariantError } from '@/core/errors';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { bytesPerElement } from '@/tensor/dtype';
import { type GroupContext } from '@/kernels/weights/group-context';
import { stagingBytes } from '@/kernels/weights/staging';

/** Copies start at whole words. */
const WORD_BYTES = 4;

/** A run of theta* that one readback brings. */
interface Part {
  readonly chunkIndex: number;
  /** First element in the chunk's buffer, and counted from the start of what was asked for. */
  readonly bufferStart: number;
  readonly start: number;
  readonly elementCount: number;
}

/**
 * Elements [flatStart, flatStart + elementCount), read by pieces of at most `stagingBytes`.
 *
 * @returns little-endian bytes of the dtype of the last merge
 * @throws PeruError `internal` before any merge, or when the range does not lie inside one tensor
 */
export async function readMergedBytes(
  context: GroupContext,
  flatStart: number,
  elementCount: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { handle, merged, spec, maps } = context;
  assertInsideTensor(context, flatStart, elementCount);
  if (spec.chunks.length === 0) return new Uint8Array();
  const each = bytesPerElement(merged.chunk(0).dtype);
  const room = stagingBytes(maps);
  const bytes = new Uint8Array(each * elementCount);
  const most = Math.floor(room / each) - WORD_BYTES; // a copy may begin a word early
  for (const part of partsOf(context, flatStart, elementCount, most)) {
    const { buffer } = merged.chunk(part.chunkIndex).slice;
    const first = each * part.bufferStart;
    const offset = first - (first % WORD_BYTES);
    const lead = first - offset;
    const byteLength = lead + each * part.elementCount;
    const [read] = await readBack(handle, 'reading theta*', () => {
      const { encoder } = new PassRecorder(handle, 'theta*');
      return { encoder, ranges: [{ source: buffer, offset, byteLength, room }] };
    });
    bytes.set(new Uint8Array(read!, lead), each * part.start);
  }
  return bytes;
}

/** Parts in order, none longer than `most` elements. */
function* partsOf(
  { maps }: GroupContext,
  flatStart: number,
  elementCount: number,
  most: number,
): Generator<Part> {
  const flatEnd = flatStart + elementCount;
  for (const [chunkIndex, { pieces }] of maps.entries()) {
    for (const piece of pieces) {
      const end = Math.min(flatEnd, piece.flatStart + piece.elementCount);
      for (let from = Math.max(flatStart, piece.flatStart); from < end; from += most) {
        const bufferStart = piece.bufferStart + from - piece.flatStart;
        const start = from - flatStart;
        yield { chunkIndex, bufferStart, start, elementCount: Math.min(most, end - from) };
      }
    }
  }
}

function assertInsideTensor({ spec }: GroupContext, flatStart: number, elementCount: number): void {
  const end = flatStart + elementCount;
  const isInside = spec.layout.tensors.some(
    (span) => flatStart >= span.flatStart && end <= span.flatStart + span.elementCount,
  );
  if (!isInside || !(elementCount >= 0)) {
    throw invariantError(`Elements ${flatStart} to ${end} of theta* do not lie inside one tensor.`);
  }
}
