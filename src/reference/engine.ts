/** The oracle of the engines' tests: typed arrays and float64 arithmetic on the calling thread. */
import { type Engine } from '@/tensor/engine';
import { ReferenceGroup } from './group';
import { ReferenceLowRankGroup } from './low-rank';
import { MemoryCount } from '@/core/memory-count';

/** Elements a chunk may have: bounds the scratch arrays of one step to a few tens of MiB. */
const MAX_CHUNK_ELEMENTS = 1 << 21;

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
    maxChunkElements: () => MAX_CHUNK_ELEMENTS,
    // It holds all weights, and counts none of them before.
    planMemory: () => ({ mode: 'resident', peakBytes: 0, leastBytes: 0, parts: [] }),
    createGroup(spec) {
      if (spec.streamed) throw new Error('The reference does not stream.');
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
