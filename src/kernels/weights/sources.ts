/** Links the shaders: each kernel is its own file after the shared files it names. */
import { type KernelSource } from '@/gpu/pipelines';
import { type Tally } from './group-context';
import apply from '../../../shaders/apply.wgsl?raw';
import decode from '../../../shaders/decode.wgsl?raw';
import histogram from '../../../shaders/histogram.wgsl?raw';
import keptCount from '../../../shaders/kept_count.wgsl?raw';
import keptMax from '../../../shaders/kept_max.wgsl?raw';
import keptWrite from '../../../shaders/kept_write.wgsl?raw';
import mask from '../../../shaders/mask.wgsl?raw';
import merge from '../../../shaders/merge.wgsl?raw';
import nonfinite from '../../../shaders/nonfinite.wgsl?raw';
import selectFold from '../../../shaders/select_fold.wgsl?raw';
import selectThreshold from '../../../shaders/select_threshold.wgsl?raw';
import selectTieCount from '../../../shaders/select_tie_count.wgsl?raw';
import selectTieFind from '../../../shaders/select_tie_find.wgsl?raw';
import stats from '../../../shaders/stats.wgsl?raw';
import block from '../../../shaders/shared/block.wgsl?raw';
import delta from '../../../shaders/shared/delta.wgsl?raw';
import dtype from '../../../shaders/shared/dtype.wgsl?raw';
import index from '../../../shaders/shared/index.wgsl?raw';
import kept from '../../../shaders/shared/kept.wgsl?raw';
import keptParts from '../../../shaders/shared/kept_parts.wgsl?raw';
import scan from '../../../shaders/shared/scan.wgsl?raw';
import scope from '../../../shaders/shared/scope.wgsl?raw';
import store from '../../../shaders/shared/store.wgsl?raw';
import tallyCached from '../../../shaders/shared/tally_cached.wgsl?raw';
import tallyDirect from '../../../shaders/shared/tally_direct.wgsl?raw';
import tallyWorkgroup from '../../../shaders/shared/tally_workgroup.wgsl?raw';
import valueFloat from '../../../shaders/shared/value_float.wgsl?raw';
import valueI8 from '../../../shaders/shared/value_i8.wgsl?raw';

const DELTA = [index, dtype, block, scope, delta];

export function link(name: string, ...parts: readonly string[]): KernelSource {
  return { name, code: parts.join('\n') };
}

/** Every kernel of the engine. */
export const KERNELS = {
  merge: link('merge', index, dtype, merge),
  nonfinite: link('nonfinite', index, dtype, block, nonfinite),
  histogramWorkgroup: link('histogram_workgroup', ...DELTA, tallyWorkgroup, histogram),
  histogramDirect: link('histogram_direct', ...DELTA, tallyDirect, histogram),
  histogramCached: link('histogram_cached', ...DELTA, tallyCached, histogram),
  selectFold: link('select_fold', index, selectFold),
  selectThreshold: link('select_threshold', index, scan, scope, selectThreshold),
  selectTieCount: link('select_tie_count', ...DELTA, selectTieCount),
  selectTieFind: link('select_tie_find', ...DELTA, scan, selectTieFind),
  stats: link('stats', ...DELTA, kept, stats),
  mask: link('mask', ...DELTA, kept, mask),
  apply: link('apply', ...DELTA, kept, store, valueFloat, apply),
  applyI8: link('apply_i8', ...DELTA, kept, store, valueI8, apply),
  keptMax: link('kept_max', ...DELTA, kept, keptMax),
  keptCount: link('kept_count', index, dtype, block, scan, keptParts, keptCount),
  keptWrite: link('kept_write', ...DELTA, scan, keptParts, valueFloat, keptWrite),
  keptWriteI8: link('kept_write_i8', ...DELTA, scan, keptParts, valueI8, keptWrite),
  decode: link('decode', index, dtype, block, store, decode),
} as const;

/**
 * A kernel with barriers as it suits the adapter. Software adapters compile and run such kernels
 * invocation by invocation, so there a workgroup has 16 of them.
 */
export function withBarriers(source: KernelSource, tally: Tally): KernelSource {
  if (tally === 'workgroup') return source;
  return { ...source, overrides: { [source === KERNELS.stats ? 'LANES' : 'SCAN_SIZE']: 16 } };
}
