/** Questions whose answers are large, chunk by chunk: asked ahead, so that no thread waits for more. */
import { type Crew } from '../crew/crew';
import { type GroupContext } from '../weights/group-context';

/** Elements a thread is asked about ahead, at most: what bounds the answers that are held at once. */
const AHEAD_ELEMENTS = 2 ** 22;

/**
 * Answers of all threads, in their order, about one chunk after the other.
 *
 * @param checkpoints whose pages are held meanwhile
 */
export async function* askEachChunk<T>(
  { crew, pages }: GroupContext,
  checkpoints: readonly number[],
  question: (thread: Thread, chunk: number) => Promise<T>,
): AsyncGenerator<{ readonly chunk: number; readonly parts: readonly T[] }> {
  for await (const chunks of pages.walk(checkpoints, undefined, AHEAD_ELEMENTS * crew.size)) {
    const asked = chunks.map((chunk) => crew.ask((thread) => question(thread, chunk)));
    for (const one of asked) one.catch(() => undefined); // told where it is waited for
    for (const [i, chunk] of chunks.entries()) yield { chunk, parts: await asked[i]! };
  }
}

export type Thread = Parameters<Parameters<Crew['ask']>[0]>[0];
