/**
 * The engine of a machine without a GPU: float32 over typed arrays, in the kernels' own order, on as
 * many threads as there are cores.
 */
import { MemoryCount } from '@/core/memory-count';
import { choosePlan } from '@/tensor/choose-plan';
import { type Engine } from '@/tensor/engine';
import { Crew } from './crew/crew';
import { type Threads } from './crew/threads';
import { type GroupOptions, ProcessorGroup } from './group';
import { ProcessorLowRankGroup } from './low-rank-group';
import { BLOCK_ELEMENTS } from './parts/blocks';
import { JOINT_FROM } from './parts/search';
import { groupNeeds } from './weights/memory-plan';

/** Elements a chunk may have: it is read, copied to the threads and answered in one piece. */
const MAX_CHUNK_ELEMENTS = 1 << 21;
/** Part of a budget that the pages of one chunk and the next may take, in the widest dtype. */
const STREAMED_SHARE = 1 / 8;
const CHUNK_STEP = 64;
const F32_BYTES = 4;

/**
 * Makes an engine on threads that nothing else uses; `dispose` ends them.
 *
 * @param options how work is shared out and counted; default: what suits large groups
 */
export function createProcessorEngine(
  threads: Threads,
  options: Partial<Pick<GroupOptions, 'cutAt' | 'jointFrom'>> = {},
): Engine {
  const memory = new MemoryCount();
  const crew = new Crew(threads);
  const groups = new Set<{ dispose(): void }>();
  const { cutAt = BLOCK_ELEMENTS, jointFrom = JOINT_FROM } = options;
  const counting = { threadCount: crew.size, jointFrom };
  let nextId = 0;
  return {
    kind: 'processor',
    adapter: {
      vendor: 'none',
      architecture: 'cpu',
      description: `${crew.size} ${crew.size === 1 ? 'thread' : 'threads'} of the processor`,
      fallback: false,
    },
    maxChunkElements(taskCount, budgetBytes = Infinity) {
      const elementBytes = 2 * F32_BYTES * (taskCount + 1);
      const streamed = (STREAMED_SHARE * budgetBytes) / elementBytes;
      const steps = Math.floor(Math.min(MAX_CHUNK_ELEMENTS, streamed) / CHUNK_STEP);
      return Math.max(CHUNK_STEP, CHUNK_STEP * steps);
    },
    planMemory: (shape, mergedDtype, budgetBytes) =>
      choosePlan(groupNeeds(shape, mergedDtype, counting), budgetBytes),
    createGroup(spec) {
      const onDispose = (): void => void groups.delete(group);
      const group = new ProcessorGroup(nextId++, spec, crew, memory, {
        cutAt,
        jointFrom,
        onDispose,
      });
      groups.add(group);
      return group;
    },
    createLowRankGroup(products) {
      const onDispose = (): void => void groups.delete(group);
      const group = new ProcessorLowRankGroup(products, crew, memory, onDispose);
      groups.add(group);
      return group;
    },
    memory: () => ({ liveBytes: memory.liveBytes, peakBytes: memory.peakBytes }),
    lost: threads.lost,
    dispose() {
      for (const group of [...groups]) group.dispose();
      threads.dispose();
    },
  };
}
