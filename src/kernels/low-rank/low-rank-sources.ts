/** Links the shaders of low-rank products; compiled when first used, not with the others. */
import { type KernelSource } from '@/gpu/pipelines';
import gather from '../../../shaders/lowrank_gather.wgsl?raw';
import core from '../../../shaders/lowrank_core.wgsl?raw';
import probe from '../../../shaders/lowrank_probe.wgsl?raw';
import residual from '../../../shaders/lowrank_residual.wgsl?raw';
import orthogonality from '../../../shaders/lowrank_orthogonality.wgsl?raw';
import nonfinite from '../../../shaders/lowrank_nonfinite.wgsl?raw';
import add from '../../../shaders/lowrank_add.wgsl?raw';
import panel from '../../../shaders/qr_panel.wgsl?raw';
import update from '../../../shaders/qr_update.wgsl?raw';
import form from '../../../shaders/qr_form.wgsl?raw';
import sweep from '../../../shaders/jacobi_sweep.wgsl?raw';
import finish from '../../../shaders/jacobi_finish.wgsl?raw';
import dtype from '../../../shaders/shared/dtype.wgsl?raw';
import index from '../../../shaders/shared/index.wgsl?raw';
import jacobiStorage from '../../../shaders/shared/jacobi_storage.wgsl?raw';
import jacobiWorkgroup from '../../../shaders/shared/jacobi_workgroup.wgsl?raw';
import gram from '../../../shaders/shared/lowrank_gram.wgsl?raw';
import reflect from '../../../shaders/shared/lowrank_reflect.wgsl?raw';
import tables from '../../../shaders/shared/lowrank_tables.wgsl?raw';
import values from '../../../shaders/shared/lowrank_values.wgsl?raw';
import { link } from '@/kernels/weights/sources';

const VALUES = [index, dtype, tables, values];

/** Every kernel of low-rank products, in the order of a factorisation. */
export const LOW_RANK_KERNELS = {
  nonfinite: link('lowrank_nonfinite', index, dtype, nonfinite),
  gather: link('lowrank_gather', ...VALUES, gather),
  panel: link('qr_panel', index, tables, gram, panel),
  update: link('qr_update', index, tables, gram, reflect, update),
  core: link('lowrank_core', index, tables, core),
  sweepWorkgroup: link('jacobi_sweep_workgroup', index, tables, jacobiWorkgroup, sweep),
  sweepStorage: link('jacobi_sweep_storage', index, tables, jacobiStorage, sweep),
  finish: link('jacobi_finish', index, tables, finish),
  form: link('qr_form', index, tables, gram, reflect, form),
  probe: link('lowrank_probe', ...VALUES, probe),
  residual: link('lowrank_residual', ...VALUES, residual),
  orthogonality: link('lowrank_orthogonality', index, tables, gram, orthogonality),
  add: link('lowrank_add', ...VALUES, add),
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
