// A core that stays in storage, for those too large for workgroup memory. The other is
// jacobi_workgroup.wgsl.

import package::shared::lowrank_tables::Product;

var<storage, read_write> cores: array<vec4<f32>>;

override LANES: u32 = 256;
// So that a team reads runs of 64 bytes.
const LEAST_TEAM = 4u;

var<private> my_core: u32;
var<private> my_rotations: u32;

fn open_core(lane: u32, product: Product, core_size: u32, rotations_size: u32) {
  my_core = product.core_base;
  my_rotations = product.rotations_base;
}

fn close_core(lane: u32, product: Product, core_size: u32, rotations_size: u32) {}

fn core_value(at: u32) -> vec4<f32> {
  return cores[my_core + at];
}

fn set_core_value(at: u32, value: vec4<f32>) {
  cores[my_core + at] = value;
}

fn rotation_value(at: u32) -> vec4<f32> {
  return cores[my_rotations + at];
}

fn set_rotation_value(at: u32, value: vec4<f32>) {
  cores[my_rotations + at] = value;
}

fn core_barrier() {
  storageBarrier();
  workgroupBarrier();
}
