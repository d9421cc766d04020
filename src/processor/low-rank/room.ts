/**
 * One thread's memory for the matrices of one product, used again for the next: memory that is new
 * is mapped page by page when it is first written, which took longer than what was computed in it.
 */

/** Elements that are kept: the matrices of rank 128 at a layer of 10,240 x 1,280. */
const MOST = 2 ** 23;

let room = new Float64Array(0);
/** Elements that the work at hand has taken here, and has asked for. */
let [taken, wanted] = [0, 0];
let isOpen = false;

/** What `work` makes of matrices may not hold any of them: the next work writes over them. */
export function inRoom<Result>(work: () => Result): Result {
  isOpen = true;
  try {
    return work();
  } finally {
    isOpen = false;
    if (wanted > room.length && room.length < MOST) room = new Float64Array(Math.min(wanted, MOST));
    [taken, wanted] = [0, 0];
  }
}

/** So many zeros. */
export function zeros(count: number): Float64Array<ArrayBuffer> {
  if (!isOpen) return new Float64Array(count);
  wanted += count;
  if (taken + count > room.length) return new Float64Array(count);
  taken += count;
  return room.subarray(taken - count, taken).fill(0);
}
