/**
 * Positions of kept entries from bytes of gaps (`gaps.ts`), which may be hostile. In NumPy, with g as
 * int64: `positions = cumsum(g)[g != 255] - 1`.
 */
import { SKIP } from './gaps';

/** What is wrong with gaps, as the end of a sentence that names the tensor. */
export class GapsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GapsError';
  }
}

/**
 * Reads gaps piece by piece, and checks that they stand for positions of one tensor: strictly
 * ascending and inside it.
 */
export class GapReader {
  readonly #elementCount: number;
  #position = -1;
  /** Whether the position was moved since the last kept entry. */
  #moved = false;
  #count = 0;

  /** @param elementCount elements of the tensor that the positions lie in */
  constructor(elementCount: number) {
    this.#elementCount = elementCount;
  }

  /** Kept entries read so far. */
  get count(): number {
    return this.#count;
  }

  /** One that goes on from here, whatever this one reads. */
  copy(): GapReader {
    const copy = new GapReader(this.#elementCount);
    [copy.#position, copy.#moved, copy.#count] = [this.#position, this.#moved, this.#count];
    return copy;
  }

  /**
   * Reads the next bytes, up to the first position that is not below `end`.
   *
   * @param into takes the positions, ascending, as far as it has room
   * @param end default: all bytes are read
   * @returns bytes read
   * @throws GapsError for a position that repeats the one before it or lies past the tensor's end
   */
  read(gaps: Uint8Array, into?: Uint32Array, end = Infinity): number {
    let [position, moved, count] = [this.#position, this.#moved, this.#count];
    let at = 0;
    for (; at < gaps.length; at++) {
      const gap = gaps[at]!;
      const next = position + gap;
      if (gap !== SKIP) {
        if (next >= end) break;
        if (gap === 0 && !moved) throw new GapsError('keep one position twice');
        if (next >= this.#elementCount) throw this.#past(next);
        if (into !== undefined) into[count - this.#count] = next;
        count += 1;
      }
      moved = gap === SKIP;
      position = next;
    }
    [this.#position, this.#moved, this.#count] = [position, moved, count];
    return at;
  }

  /** @throws GapsError when the last bytes lead to no position */
  end(): void {
    if (this.#moved) throw new GapsError('end without a last position');
  }

  #past(position: number): GapsError {
    return new GapsError(
      `reach position ${position}, past the tensor's end at ${this.#elementCount}`,
    );
  }
}
