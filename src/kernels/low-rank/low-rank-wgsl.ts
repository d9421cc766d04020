/** The kernels of low-rank products; compiled when first used, not with the others. */
import type { KernelSource } from '@/gpu/pipelines';
import { kernelSource } from '@/kernels/weights/wgsl';

/** Every kernel of low-rank products, in the order of a factorisation. */
export const LOW_RANK_KERNELS = {
  nonfinite: kernelSource('lowrank_nonfinite'),
  gather: kernelSource('lowrank_gather'),
  panel: kernelSource('qr_panel'),
  update: kernelSource('qr_update'),
  core: kernelSource('lowrank_core'),
  sweepWorkgroup: sweep('workgroup'),
  sweepStorage: sweep('storage'),
  finish: kernelSource('jacobi_finish'),
  form: kernelSource('qr_form'),
  probe: kernelSource('lowrank_probe'),
  residual: kernelSource('lowrank_residual'),
  orthogonality: kernelSource('lowrank_orthogonality'),
  add: kernelSource('lowrank_add'),
} as const;

export type LowRankKernel = keyof typeof LOW_RANK_KERNELS;

/** Lanes of a workgroup on software adapters: barriers, not loads, are what they are slow at. */
const SOFTWARE_LANES: Readonly<Partial<Record<LowRankKernel, number>>> = {
  panel: 16,
  update: 16,
  form: 16,
  orthogonality: 16,
  sweepWorkgroup: 8,
  sweepStorage: 32,
};

/** The kernel as it suits the adapter. */
export function lowRankKernel(name: LowRankKernel, software: boolean): KernelSource {
  const source = LOW_RANK_KERNELS[name];
  const lanes = software ? SOFTWARE_LANES[name] : undefined;
  return lanes === undefined ? source : { ...source, overrides: { LANES: lanes } };
}

/** @param memory where the core lies meanwhile */
function sweep(memory: 'workgroup' | 'storage'): KernelSource {
  return kernelSource(
    'jacobi_sweep',
    { core: `shared/jacobi_${memory}` },
    `jacobi_sweep_${memory}`,
  );
}
