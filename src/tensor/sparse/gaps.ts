/**
 * Positions of kept entries from bytes of gaps (contract: "TASK.sparse.safetensors"). A byte under
 * 255 is the distance from the last kept position, the first counting from -1; 255 adds 255 and
 * keeps none. In NumPy, with g as int64: `positions = cumsum(g)[g != 255] - 1`.
 */

const SKIP = 255;

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

  /**
   * Reads the next bytes.
   *
   * @param keep told each position, ascending
   * @throws GapsError for a position that repeats the one before it or lies past the tensor's end
   */
  read(gaps: Uint8Array, keep?: (position: number, index: number) => void): void {
    let [position, moved, count] = [this.#position, this.#moved, this.#count];
    for (const gap of gaps) {
      position += gap;
      if (gap === SKIP) {
        moved = true;
        continue;
      }
      if (gap === 0 && !moved) throw new GapsError('keep one position twice');
      if (position >= this.#elementCount) throw this.#past(position);
      keep?.(position, count);
      count += 1;
      moved = false;
    }
    [this.#position, this.#moved, this.#count] = [position, moved, count];
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

/**
 * The positions that gaps stand for, row-major inside one tensor.
 *
 * @param elementCount elements of the tensor; by default positions may lie anywhere
 * @throws GapsError for positions that repeat or lie past the end, or bytes that lead to none
 */
export function decodeGaps(
  gaps: Uint8Array,
  elementCount = Number.MAX_SAFE_INTEGER,
): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (const gap of gaps) if (gap !== SKIP) count += 1;
  const positions = new Uint32Array(count);
  const reader = new GapReader(elementCount);
  reader.read(gaps, (position, index) => {
    positions[index] = position;
  });
  reader.end();
  return positions;
}
