/** Links the shaders: each kernel is its own file after the shared files it names. */
import { type KernelSource } from '@/gpu/pipelines';
import apply from '../../shaders/apply.wgsl?raw';
import decode from '../../shaders/decode.wgsl?raw';
import histogram from '../../shaders/histogram.wgsl?raw';
import mask from '../../shaders/mask.wgsl?raw';
import merge from '../../shaders/merge.wgsl?raw';
import nonfinite from '../../shaders/nonfinite.wgsl?raw';
import selectThreshold from '../../shaders/select_threshold.wgsl?raw';
import selectTieBlock from '../../shaders/select_tie_block.wgsl?raw';
import selectTieCount from '../../shaders/select_tie_count.wgsl?raw';
import selectTieLimit from '../../shaders/select_tie_limit.wgsl?raw';
import stats from '../../shaders/stats.wgsl?raw';
import block from '../../shaders/shared/block.wgsl?raw';
import delta from '../../shaders/shared/delta.wgsl?raw';
import dtype from '../../shaders/shared/dtype.wgsl?raw';
import index from '../../shaders/shared/index.wgsl?raw';
import kept from '../../shaders/shared/kept.wgsl?raw';
import scan from '../../shaders/shared/scan.wgsl?raw';
import scope from '../../shaders/shared/scope.wgsl?raw';
import storeScalar from '../../shaders/shared/store_scalar.wgsl?raw';
import storeVector from '../../shaders/shared/store_vector.wgsl?raw';
import tallyDirect from '../../shaders/shared/tally_direct.wgsl?raw';
import tallyWorkgroup from '../../shaders/shared/tally_workgroup.wgsl?raw';

const DELTA = [index, dtype, block, scope, delta];

function link(name: string, ...parts: readonly string[]): KernelSource {
  return { name, code: parts.join('\n') };
}

/** Every kernel of the engine. */
export const KERNELS = {
  merge: link('merge', index, dtype, merge),
  nonfinite: link('nonfinite', index, dtype, block, nonfinite),
  histogramWorkgroup: link('histogram_workgroup', ...DELTA, tallyWorkgroup, histogram),
  histogramDirect: link('histogram_direct', ...DELTA, tallyDirect, histogram),
  selectThreshold: link('select_threshold', index, scan, scope, selectThreshold),
  selectTieCount: link('select_tie_count', ...DELTA, selectTieCount),
  selectTieBlock: link('select_tie_block', index, scan, scope, selectTieBlock),
  selectTieLimit: link('select_tie_limit', ...DELTA, scan, selectTieLimit),
  stats: link('stats', ...DELTA, kept, stats),
  mask: link('mask', ...DELTA, kept, mask),
  applyVector: link('apply_vector', ...DELTA, kept, storeVector, apply),
  applyScalar: link('apply_scalar', ...DELTA, kept, storeScalar, apply),
  decodeVector: link('decode_vector', index, dtype, block, storeVector, decode),
  decodeScalar: link('decode_scalar', index, dtype, block, storeScalar, decode),
} as const;
