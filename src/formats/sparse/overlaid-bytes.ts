/** The bytes of a virtual checkpoint: read from the merged model and a sparse vector, and added. */
import { type ByteSource } from '@/tensor/byte-source';
import { type ByteTally, sumTallies } from '@/core/byte-tally';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type FilePart, readParts } from '@/tensor/file-parts';
import { decodeFloats } from '@/tensor/half';
import { type FlatLayout, type TensorSpan } from '@/tensor/layout';
import { RemoteBytes, tallyOf } from '@/tensor/remote-bytes';
import { GapReader } from '@/codecs/gap-reader';
import { type SparseFile } from './sparse-file';
import { type KeptBytes } from './kept-tensor';
import { addKept, type KeptRest } from './virtual-add';

const F32_BYTES = 4;

/** A sparse vector's file, its header read. */
export interface OpenSparse {
  readonly source: ByteSource;
  readonly file: SparseFile;
}

export interface OverlaidParts {
  /** The tensors that lie in these bytes, end to end, as F32. */
  readonly space: FlatLayout;
  /** Holds all of them, in dtypes of its own. */
  readonly merged: CheckpointTensors;
  readonly sparse: OpenSparse;
}

/** Elements [from, to) of one tensor, and where they go in what is read. */
interface Piece {
  readonly span: TensorSpan;
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** Kept entries of the tensor that the last read ended inside of, from where it ended. */
interface Held extends KeptRest {
  readonly name: string;
}

/**
 * theta* + values over a flat space. Holds nothing but what a read is about, and of the one tensor
 * that the last read ended inside of the kept entries behind its end: reads usually go on there.
 */
export class OverlaidBytes extends RemoteBytes {
  readonly #parts: OverlaidParts;
  #held: Held | null = null;

  constructor(parts: OverlaidParts) {
    super();
    this.#parts = parts;
  }

  override get size(): number {
    return F32_BYTES * this.#parts.space.elementCount;
  }

  /** Bytes of the sparse vector; the merged model is the base's to count. */
  override async tally(start: number, end: number): Promise<ByteTally> {
    const { source, file } = this.#parts.sparse;
    const parts = this.#pieces(start, end).flatMap(
      ({ span }) => file.tensors.get(span.name)?.parts ?? [],
    );
    return sumTallies(
      await Promise.all(
        parts.map(({ byteStart, byteLength }) =>
          tallyOf(source, byteStart, byteStart + byteLength),
        ),
      ),
    );
  }

  override async read(
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && start <= end && end <= this.size)) {
      throw new RangeError(`Bytes ${start} to ${end} lie outside a checkpoint of ${this.size}.`);
    }
    const pieces = this.#pieces(start, end);
    const [sums, kept] = await Promise.all([
      this.#readMerged(pieces, signal),
      this.#readKept(pieces, this.#heldFor(pieces), signal),
    ]);
    for (const { span, from, to, at } of pieces) {
      const entries = kept.get(span.name);
      if (entries === undefined) continue;
      const into = sums.subarray(at, at + to - from);
      const { fileName } = this.#parts.sparse.file;
      const about = { fileName, name: span.name, elementCount: span.elementCount };
      const rest = addKept(into, from, entries, about);
      if (to < span.elementCount) {
        this.#held = { ...rest, name: span.name, kept: ownCopy(rest.kept) };
      } else if (this.#held?.name === span.name) {
        this.#held = null;
      }
    }
    const first = start - F32_BYTES * Math.floor(start / F32_BYTES);
    const bytes = new Uint8Array(sums.buffer);
    return first === 0 && bytes.length === end - start
      ? bytes
      : bytes.slice(first, first + end - start);
  }

  /** What the last read left, where the first piece goes on behind it. */
  #heldFor([first]: readonly Piece[]): Held | null {
    const held = this.#held;
    if (held === null || first === undefined) return null;
    return held.name === first.span.name && held.element <= first.from ? held : null;
  }

  #pieces(start: number, end: number): Piece[] {
    const { tensors } = this.#parts.space;
    const first = Math.floor(start / F32_BYTES);
    const last = Math.ceil(end / F32_BYTES);
    return tensors.flatMap((span) => {
      const from = Math.max(first, span.flatStart);
      const to = Math.min(last, span.flatStart + span.elementCount);
      if (from >= to) return [];
      return [{ span, from: from - span.flatStart, to: to - span.flatStart, at: from - first }];
    });
  }

  /** theta* of the pieces in f32, end to end. */
  async #readMerged(
    pieces: readonly Piece[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array<ArrayBuffer>> {
    let at = 0;
    const stored = pieces.map((piece) => {
      const tensor = this.#parts.merged.tensors.get(piece.span.name)!;
      const part = partOf(tensor, piece, at);
      at += part.end - part.start;
      return { piece, tensor, part };
    });
    const bytes = await readParts(
      stored.map(({ part }) => part),
      signal,
    );
    const count = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
    const sums = new Float32Array(count);
    for (const { piece, tensor, part } of stored) {
      const own = bytes.subarray(part.at, part.at + part.end - part.start);
      sums.set(decodeFloats(own, tensor.dtype as FloatDtype), piece.at);
    }
    return sums;
  }

  /** Kept entries of the pieces' tensors; none for a tensor that keeps none. */
  async #readKept(
    pieces: readonly Piece[],
    held: Held | null,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, KeptRest>> {
    const found = new Map<string, KeptRest>();
    if (held !== null) found.set(held.name, held);
    const { source, file } = this.#parts.sparse;
    const wanted = pieces.flatMap(({ span }) => {
      const tensor = found.has(span.name) ? undefined : file.tensors.get(span.name);
      return tensor === undefined ? [] : [{ span, tensor }];
    });
    let at = 0;
    const parts = wanted.flatMap(({ tensor }) =>
      tensor.parts.map(({ byteStart: start, byteLength }): FilePart => {
        const part = { source, fileName: file.fileName, start, end: start + byteLength, at };
        at += byteLength;
        return part;
      }),
    );
    const bytes = await readParts(parts, signal);
    let next = 0;
    for (const { span, tensor } of wanted) {
      const own = tensor.parts.map(({ byteLength }) => bytes.subarray(next, (next += byteLength)));
      const reader = new GapReader(span.elementCount);
      found.set(span.name, { element: 0, kept: tensor.read(own), reader });
    }
    return found;
  }
}

function partOf(
  { source, fileName, byteStart, dtype }: StoredTensor,
  piece: Piece,
  at: number,
): FilePart {
  const bytes = bytesPerElement(dtype as FloatDtype);
  const [start, end] = [byteStart + piece.from * bytes, byteStart + piece.to * bytes];
  return { source, fileName, start, end, at };
}

/** A copy that does not keep the whole read alive. */
function ownCopy({ gaps, values, ...rest }: KeptBytes): KeptBytes {
  return { ...rest, gaps: gaps.slice(), values: values.slice() };
}
