/** Counts and energies of a selection. */
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { type SelectionStats } from '@/tensor/engine';
import { deltaKernels, deltaResources, type GroupContext } from './group-context';
import { type SelectionFacts } from './select';
import { KERNELS, withBarriers } from './sources';

/** u32 words of a BlockStats (shaders/stats.wgsl). */
const STATS_WORDS = 4;

/** Counts are exact; energies are float32 sums a block, added in float64 in block order. */
export async function selectionStats(
  context: GroupContext,
  selection: SelectionFacts,
): Promise<SelectionStats> {
  const { handle, spec, table } = context;
  const kernels = await deltaKernels(
    context,
    withBarriers(KERNELS.stats, context.counting.tally),
    selection,
  );
  const byteLength = 4 * STATS_WORDS * table.blockCount;
  return handle.buffers.lend(async (scope) => {
    const [bytes] = await readBack(handle, 'statistics', () => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
      const stats = scope.create('block statistics', byteLength, usage);
      const recorder = new PassRecorder(handle, 'stats');
      for (const { index } of spec.chunks) {
        const kernel = kernels(index);
        const delta = deltaResources(context, kernel, selection, index);
        const resources = { ...delta, states: selection.states, block_stats: stats };
        recorder.dispatch(kernel, resources, table.ofChunk[index]!.count);
      }
      recorder.endPass();
      return { encoder: recorder.encoder, ranges: [{ source: stats, byteLength }] };
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
