/** Exact top k of a task vector, for several k at once: thresholds, and where their ties are cut. */
import { type Scope } from '@/tensor/engine';
import { type Wanted } from '@/tensor/page-stream';
import { keptCount } from '@/tensor/kept-count';
import { type DeltaOf } from '../parts/questions';
import { digitsOf, FIRST_DIGIT, Search } from '../parts/search';
import { checkpointsOf, type GroupContext } from '../weights/group-context';
import { countKeys, histogramOf } from './count-keys';

/**
 * For all percentages together: a pass for the first digit unless the slider's histogram has it, one
 * for the others (two for a selection a tensor, or of few entries), and one as far as the last kept
 * tie.
 */
export async function selectTop(
  context: GroupContext,
  of: DeltaOf,
  scope: Scope,
  percents: readonly number[],
): Promise<Search[]> {
  const { layout } = context.spec;
  const sizes =
    scope === 'global'
      ? [layout.elementCount]
      : layout.tensors.map(({ elementCount }) => elementCount);
  const searches = percents.map(
    (percent) =>
      new Search(
        scope,
        sizes.map((size) => keptCount(percent, size)),
      ),
  );
  const jointFrom = context.jointFrom * percents.length;
  const first = await firstCounts(context, of, scope, sizes.length);
  for (const search of searches) search.refine(FIRST_DIGIT, first);
  for (const digit of digitsOf(scope, layout.elementCount, jointFrom)) {
    const wanted = searches.map(({ perTensor, keys }) => ({ digit, perTensor, prefixes: keys }));
    const counts = await countKeys(context, of, wanted);
    searches.forEach((search, i) => {
      search.refine(digit, counts[i]!);
    });
  }
  await cutTies(context, of, searches);
  return searches;
}

async function firstCounts(
  context: GroupContext,
  of: DeltaOf,
  scope: Scope,
  scopeCount: number,
): Promise<Uint32Array> {
  if (scope === 'global') return histogramOf(context, of);
  const prefixes = new Uint32Array(scopeCount);
  const [counts] = await countKeys(context, of, [
    { digit: FIRST_DIGIT, perTensor: true, prefixes },
  ]);
  return counts!;
}

/** Ties enter lowest position first: chunk by chunk, thread by thread, block by block. */
async function cutTies(
  context: GroupContext,
  of: DeltaOf,
  searches: readonly Search[],
): Promise<void> {
  const { crew, id, pages } = context;
  const cutting = (): Search[] => searches.filter(({ hasTies }) => hasTies);
  const wanted = (): ReturnType<Wanted> => Promise.resolve(() => cutting().length > 0);
  // Few chunks at a time: the last kept tie may lie in the first of them.
  for await (const chunks of pages.walk(checkpointsOf(of), wanted, 0)) {
    const open = cutting();
    if (open.length === 0) break;
    const asked = open.map(({ perTensor, keys }) => ({ perTensor, keys }));
    const ties = await crew.ask((thread) => thread.countTies(id, chunks, of, asked));
    for (const [i, chunk] of chunks.entries()) {
      for (const [s, search] of open.entries()) {
        const parts = ties.map((part) => part[i]![s]!);
        await passChunk(context, of, search, chunk, parts);
      }
    }
  }
}

async function passChunk(
  { crew, id, blocks }: GroupContext,
  of: DeltaOf,
  search: Search,
  chunk: number,
  ties: readonly Uint32Array[],
): Promise<void> {
  for (const [part, counts] of ties.entries()) {
    for (const [b, block] of blocks[part]![chunk]!.entries()) {
      const scope = search.perTensor ? block.tensor : 0;
      if (!search.cutsTies(scope)) continue;
      const nth = search.pass(scope, counts[b]!);
      if (nth === null) continue;
      const tie = { block: b, key: search.keys[scope]!, nth };
      const index = await crew.askOne(part, (thread) => thread.findTie(id, chunk, of, tie));
      search.cut(scope, index + (search.perTensor ? block.tensorStart : block.flatStart));
    }
  }
}
