/** Counts and energies of a selection. */
import { type PassRecorder } from '@/gpu/recorder';
import { type SelectionStats } from '@/tensor/engine';
import {
  deltaCheckpoints,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { type SelectionFacts } from './select';
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { runWork } from '@/kernels/weights/work';

/** u32 words of a BlockStats (shaders/stats.wgsl). */
export const STATS_WORDS = 4;

/** One pass. Counts are exact; energies are float32 sums a block, added in float64 in block order. */
export async function selectionStats(
  context: GroupContext,
  selection: SelectionFacts,
): Promise<SelectionStats> {
  const { handle, table } = context;
  const kernels = await deltaKernels(
    context,
    withBarriers(KERNELS.stats, context.counting.tally),
    selection,
  );
  const byteLength = 4 * STATS_WORDS * table.blockCount;
  return handle.buffers.lend(async (scope) => {
    const [bytes] = await runWork(context, 'statistics', 'stats', () => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
      const stats = scope.create('block statistics', byteLength, usage);
      const each = (recorder: PassRecorder, index: number): void => {
        const kernel = kernels(index);
        const delta = deltaResources(context, kernel, selection, index);
        const resources = { ...delta, states: selection.states, block_stats: stats };
        recorder.dispatch(kernel, resources, table.ofChunk[index]!.count);
      };
      return {
        steps: [{ checkpoints: deltaCheckpoints(selection), each }],
        ranges: [{ source: stats, byteLength }],
      };
    });
    return sumBlocks(bytes!);
  });
}

function sumBlocks(bytes: ArrayBuffer): SelectionStats {
  const counts = new Uint32Array(bytes);
  const energies = new Float32Array(bytes);
  let [kept, nonZero, keptEnergy, totalEnergy] = [0, 0, 0, 0];
  for (let i = 0; i < counts.length; i += STATS_WORDS) {
    kept += counts[i]!;
    nonZero += counts[i + 1]!;
    keptEnergy += energies[i + 2]!;
    totalEnergy += energies[i + 3]!;
  }
  return { kept, nonZero, keptEnergy, totalEnergy };
}
