// A core in workgroup memory: X and the rotations one after the other. Linked for cores of at most
// 512 vectors in both; WebGPU's default of 16 KiB holds them beside the sums. The other is
// jacobi_storage.wgsl.

import package::shared::lowrank_tables::Product;

var<storage, read_write> cores: array<vec4<f32>>;

// One team of four lanes a pair at 16 columns; software adapters take one lane a pair.
override LANES: u32 = 32;
const LEAST_TEAM = 1u;
const CORE_VECTORS = 512u;

var<workgroup> sh_core: array<vec4<f32>, CORE_VECTORS>;

var<private> my_rotations: u32;

fn open_core(lane: u32, product: Product, core_size: u32, rotations_size: u32) {
  my_rotations = core_size;
  for (var i = lane; i < core_size; i += LANES) {
    sh_core[i] = cores[product.core_base + i];
  }
  for (var i = lane; i < rotations_size; i += LANES) {
    sh_core[core_size + i] = cores[product.rotations_base + i];
  }
  workgroupBarrier();
}

fn close_core(lane: u32, product: Product, core_size: u32, rotations_size: u32) {
  for (var i = lane; i < core_size; i += LANES) {
    cores[product.core_base + i] = sh_core[i];
  }
  for (var i = lane; i < rotations_size; i += LANES) {
    cores[product.rotations_base + i] = sh_core[core_size + i];
  }
}

fn core_value(at: u32) -> vec4<f32> {
  return sh_core[at];
}

fn set_core_value(at: u32, value: vec4<f32>) {
  sh_core[at] = value;
}

fn rotation_value(at: u32) -> vec4<f32> {
  return sh_core[my_rotations + at];
}

fn set_rotation_value(at: u32, value: vec4<f32>) {
  sh_core[my_rotations + at] = value;
}

fn core_barrier() {
  workgroupBarrier();
}
