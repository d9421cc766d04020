/** Workgroup grids larger than one dimension may be. */

/**
 * Folds a row of workgroups into x and y, as shaders/shared/index.wgsl unfolds it. The grid may
 * have a few workgroups too many: kernels check their index.
 *
 * @param groups workgroups needed, at most limit squared
 * @param limit most workgroups a dimension may have (65,535 by default)
 */
export function foldGrid(groups: number, limit: number): readonly [x: number, y: number] {
  if (groups <= limit) return [groups, 1];
  const y = Math.ceil(groups / limit);
  return [Math.ceil(groups / y), y];
}
