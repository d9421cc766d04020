/** The oracle of the engines' tests: typed arrays and float64 arithmetic on the calling thread. */
import { choosePlan } from '@/tensor/choose-plan';
import { type Engine } from '@/tensor/engine';
import { ReferenceGroup } from './group';
import { ReferenceLowRankGroup } from './low-rank';
import { MemoryCount } from '@/core/memory-count';
import { groupNeeds } from './memory-plan';

/** Elements a chunk may have: bounds the scratch arrays of one step to a few tens of MiB. */
const MAX_CHUNK_ELEMENTS = 1 << 21;
/** Part of a budget that the pages of one chunk and the next may take, in the widest dtype. */
const STREAMED_SHARE = 1 / 8;
const CHUNK_STEP = 64;
const F32_BYTES = 4;

/** Makes an engine that needs nothing but memory. Its `lost` never settles. */
export function createReferenceEngine(): Engine {
  const memory = new MemoryCount();
  const groups = new Set<ReferenceGroup | ReferenceLowRankGroup>();
  return {
    kind: 'reference',
    adapter: {
      vendor: 'none',
      architecture: 'cpu',
      description: 'Typed arrays, float64 arithmetic',
      fallback: true,
    },
    maxChunkElements(taskCount, budgetBytes = Infinity) {
      const elementBytes = 2 * F32_BYTES * (taskCount + 1);
      const streamed = (STREAMED_SHARE * budgetBytes) / elementBytes;
      const steps = Math.floor(Math.min(MAX_CHUNK_ELEMENTS, streamed) / CHUNK_STEP);
      return Math.max(CHUNK_STEP, CHUNK_STEP * steps);
    },
    planMemory: (shape, _, budgetBytes) => choosePlan(groupNeeds(shape), budgetBytes),
    createGroup(spec) {
      const group = new ReferenceGroup(spec, memory, () => groups.delete(group));
      groups.add(group);
      return group;
    },
    createLowRankGroup(products) {
      const group: ReferenceLowRankGroup = new ReferenceLowRankGroup(products, memory, () =>
        groups.delete(group),
      );
      groups.add(group);
      return group;
    },
    memory: () => ({ liveBytes: memory.liveBytes, peakBytes: memory.peakBytes }),
    lost: new Promise<string>(() => undefined),
    dispose() {
      for (const group of groups) group.dispose();
    },
  };
}
