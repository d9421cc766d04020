/** A file of which each byte is read at most once, in pieces as they are asked for. */
import { type AsyncBuffer } from 'hyparquet';

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
}

export class SparseBytes implements AsyncBuffer {
  readonly #file: AsyncBuffer;
  /** In order, without overlaps. */
  #pieces: Piece[] = [];

  constructor(file: AsyncBuffer) {
    this.#file = file;
  }

  get byteLength(): number {
    return this.#file.byteLength;
  }

  /**
   * Bytes [start, end) in a buffer of their own.
   *
   * @throws Error where they lie outside the file
   */
  async read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && start <= end && end <= this.byteLength)) {
      throw new Error(`bytes ${start} to ${end} lie outside a file of ${this.byteLength}`);
    }
    this.#ask(start, end);
    const into = new Uint8Array(end - start);
    for (const piece of this.#pieces) {
      const from = Math.max(start, piece.start);
      const to = Math.min(end, piece.end);
      if (from >= to) continue;
      const bytes = await piece.bytes;
      into.set(bytes.subarray(from - piece.start, to - piece.start), from - start);
    }
    return into;
  }

  async slice(start: number, end: number = this.byteLength): Promise<ArrayBuffer> {
    return (await this.read(start, end)).buffer;
  }

  /** Reads what is missing of [start, end). */
  #ask(start: number, end: number): void {
    const missing: Piece[] = [];
    let at = start;
    const add = (to: number): void => {
      if (at < to) missing.push(this.#fetch(at, to));
    };
    for (const piece of this.#pieces) {
      if (piece.end <= at || piece.start >= end) continue;
      add(piece.start);
      at = Math.max(at, piece.end);
    }
    add(end);
    if (missing.length === 0) return;
    this.#pieces = [...this.#pieces, ...missing].sort((a, b) => a.start - b.start);
  }

  #fetch(start: number, end: number): Piece {
    const bytes = Promise.resolve(this.#file.slice(start, end)).then((all) => new Uint8Array(all));
    const piece = { start, end, bytes };
    // What failed is read again when it is asked for again.
    bytes.catch(() => {
      this.#pieces = this.#pieces.filter((one) => one !== piece);
    });
    return piece;
  }
}
