/**
 * What selections of one task vector keep: counts and energies, and tensor by tensor how many entries
 * and what their positions take. Kept bits are marked on the device and counted block by block, and
 * only the counts are read back: of 87,456,000 elements (a ViT-B/32) 32 bytes a block instead of a mask
 * of 10.9 MB.
 *
 * One pass for all selections. Bytes an element in halves, for each: 4 for statistics and 4 to mark, 1/8
 * of bits cleared, written and read. Dispatches for C chunks and S selections: 3 C S.
 */
import { gapSkips } from '@/codecs/gaps';
import { type BufferScope } from '@/gpu/buffers';
import { type PassRecorder } from '@/gpu/recorder';
import { type KeptCount, type KeptMeasure, type SelectionStats } from '@/tensor/engine';
import { BLOCK_WORDS, type BlockTable } from '@/kernels/weights/blocks';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { runWork, type Work } from '@/kernels/weights/work';
import { KEPT_WORDS } from './encode-windows';
import { bitBuffers, blockKeptBuffer, markChunk, type Marking, markingKernels } from './marking';
import { type SelectionFacts } from './select';

/** u32 words of a BlockStats (shaders/stats.wgsl). */
export const STATS_WORDS = 4;

interface Measuring extends Marking {
  readonly stats: DeltaKernels;
  /** A record a block of the table, as in `blockKept`. */
  readonly blockStats: GPUBuffer;
}

/**
 * Counts are exact; energies are float32 sums a block, added in float64 in block order.
 *
 * @param selections of one task vector
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`; what reading weights rejects with
 */
export async function measureSelections(
  context: GroupContext,
  selections: readonly SelectionFacts[],
): Promise<KeptMeasure[]> {
  const [first] = selections;
  if (!first) return [];
  const statsKernel = withBarriers(KERNELS.stats, context.counting.tally);
  const [stats, marking] = await Promise.all([
    deltaKernels(context, statsKernel, first),
    markingKernels(context, first),
  ]);
  return context.handle.buffers.lend(async (scope) => {
    const results = await runWork(context, 'measuring kept entries', 'measure', () => {
      const bits = bitBuffers(context, scope);
      const all = selections.map((selection): Measuring => ({
        ...{ context, selection, ...marking, stats, bits },
        ...recordBuffers(context, scope),
      }));
      return workOf(context, first, all);
    });
    return selections.map((_, s) => ({
      stats: sumBlocks(results[2 * s]!),
      counts: sumTensors(context.table, new Uint32Array(results[2 * s + 1]!)),
    }));
  });
}

function recordBuffers(context: GroupContext, scope: BufferScope) {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const byteLength = 4 * STATS_WORDS * context.table.blockCount;
  return {
    blockStats: scope.create('block statistics', byteLength, usage),
    blockKept: blockKeptBuffer(context, scope),
  };
}

/** Reads back, for each selection, statistics and then counts by block. */
function workOf(context: GroupContext, of: SelectionFacts, all: readonly Measuring[]): Work {
  const { blockCount } = context.table;
  const each = (recorder: PassRecorder, index: number): void => {
    for (const one of all) measureChunk(recorder, one, index);
  };
  return {
    steps: [{ checkpoints: deltaCheckpoints(of), each }],
    ranges: all.flatMap(({ blockStats, blockKept }) => [
      { source: blockStats, byteLength: 4 * STATS_WORDS * blockCount },
      { source: blockKept, byteLength: 4 * KEPT_WORDS * blockCount },
    ]),
  };
}

function measureChunk(recorder: PassRecorder, measuring: Measuring, index: number): void {
  const { context, selection, stats, bits, blockStats } = measuring;
  // The bits are the last selection's.
  recorder.endPass();
  recorder.clear(bits[index]!);
  const kernel = stats(index);
  const delta = deltaResources(context, kernel, selection, index);
  const resources = { ...delta, states: selection.states, block_stats: blockStats };
  recorder.dispatch(kernel, resources, context.table.ofChunk[index]!.count);
  markChunk(recorder, measuring, index);
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

/**
 * Adds blocks up to tensors, in canonical order.
 *
 * @param records a BlockKept a block
 */
function sumTensors({ words, blockCount }: BlockTable, records: Uint32Array): KeptCount[] {
  const tensors: KeptCount[] = [];
  /** Position of the last entry kept in the last tensor. */
  let lastKept = -1;
  for (let block = 0; block < blockCount; block++) {
    const at = KEPT_WORDS * block;
    const [kept, skips, first, last] = records.subarray(at, at + KEPT_WORDS);
    if (kept === 0) continue;
    const [, , tensor, position] = words.subarray(BLOCK_WORDS * block, BLOCK_WORDS * (block + 1));
    const before = tensors.at(-1)?.tensor === tensor ? tensors.pop()! : null;
    const distance = position! + first! - (before === null ? -1 : lastKept);
    tensors.push({
      tensor: tensor!,
      kept: kept! + (before?.kept ?? 0),
      gapBytes: kept! + skips! + gapSkips(distance) + (before?.gapBytes ?? 0),
    });
    lastKept = position! + last!;
  }
  return tensors;
}
