/** Counts keys of task vectors in all threads, and sums what they counted. */
import { transfer } from 'comlink';
import { type DeltaOf, type Digit, type DigitCount } from '../parts/questions';
import { FIRST_DIGIT } from '../parts/search';
import { assertCenter, checkpointsOf, type GroupContext } from '../weights/group-context';

const COUNT_BYTES = 4;

/** One digit to count, by what was found of more significant ones. */
export interface WantedCount {
  readonly digit: Digit;
  readonly perTensor: boolean;
  /** By scope. */
  readonly prefixes: Uint32Array;
}

/**
 * One pass over center and task for all counts together.
 *
 * @returns by count: `bins` numbers a scope
 */
export async function countKeys(
  context: GroupContext,
  of: DeltaOf,
  wanted: readonly WantedCount[],
): Promise<Uint32Array<ArrayBuffer>[]> {
  assertCenter(context, of.center);
  const { crew, id, memory, pages } = context;
  const sizes = wanted.map(({ digit, prefixes }) => digit.bins * prefixes.length);
  const heldBytes = crew.size * sizes.reduce((sum, size) => sum + COUNT_BYTES * size, 0);
  memory.add(heldBytes);
  try {
    // Each thread's own go to it and come back with every question.
    let counts = context.shares.map(() => sizes.map((size) => new Uint32Array(size)));
    for await (const chunks of pages.walk(checkpointsOf(of))) {
      const asked = counts;
      counts = await crew.ask((thread, part) => {
        const own = asked[part]!;
        const questions: DigitCount[] = wanted.map((want, i) => ({ ...want, counts: own[i]! }));
        const buffers = own.map(({ buffer }) => buffer);
        return thread.countDigits(id, chunks, of, transfer(questions, buffers));
      });
    }
    return sizes.map((_, i) => summed(counts.map((own) => own[i]!)));
  } finally {
    memory.remove(heldBytes);
  }
}

/** Counts by the first digit of the whole flat space, kept while weights stay as they are. */
export async function histogramOf(
  context: GroupContext,
  of: DeltaOf,
): Promise<Uint32Array<ArrayBuffer>> {
  const key = `${of.center}:${of.task}`;
  const known = context.histograms.get(key);
  if (known) return known;
  const count = { digit: FIRST_DIGIT, perTensor: false, prefixes: new Uint32Array(1) };
  const [counts] = await countKeys(context, of, [count]);
  context.histograms.set(key, counts!);
  return counts!;
}

function summed(all: readonly Uint32Array<ArrayBuffer>[]): Uint32Array<ArrayBuffer> {
  const [sum, ...others] = all as [Uint32Array<ArrayBuffer>, ...Uint32Array<ArrayBuffer>[]];
  for (const other of others) for (let i = 0; i < sum.length; i++) sum[i]! += other[i]!;
  return sum;
}
