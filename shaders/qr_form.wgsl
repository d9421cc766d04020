// The singular vectors of every product, times the root of their singular value: Q applied to the
// small vectors of the core, block reflector by block reflector, last to first.
//
// One workgroup a panel of 16 triplets of a side. Flops: 4 · 16² a row and panel of reflectors;
// bytes an element: V read twice a panel, the result once read and once written.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_gram::{gram, LANES, TILES};
import package::shared::lowrank_reflect::{solve_block, subtract_block};
import package::shared::lowrank_tables::{BLOCK_VECTORS, PANEL, Side, TRIANGLE_VECTORS};

struct Params {
  first_job: u32,
  job_count: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // side, panel of triplets
var<storage, read> sides: array<Side>;
var<storage, read> scratch: array<vec4<f32>>;
var<storage, read> small: array<vec4<f32>>;
var<storage, read_write> balanced: array<vec4<f32>>;

var<private> my_stride: u32;
var<private> my_reflectors: u32;
var<private> my_columns: u32;
var<private> my_inverse: u32;
// Vectors of rows of the result from here on are still zero, and hold anything.
var<private> my_filled: u32;

fn left_rows(column: u32, at: u32) -> mat4x4<f32> {
  let start_at = my_reflectors + column * my_stride + at;
  return mat4x4(
    scratch[start_at],
    scratch[start_at + my_stride],
    scratch[start_at + 2u * my_stride],
    scratch[start_at + 3u * my_stride],
  );
}

fn right_rows(column: u32, at: u32) -> mat4x4<f32> {
  let start_at = my_columns + column * my_stride + at;
  return mat4x4(
    balanced[start_at],
    balanced[start_at + my_stride],
    balanced[start_at + 2u * my_stride],
    balanced[start_at + 3u * my_stride],
  );
}

fn inverse_t(row: u32, column: u32) -> f32 {
  return scratch[my_inverse + TILES * row + column / 4u][column % 4u];
}

fn reflector(column: u32, at: u32) -> vec4<f32> {
  return scratch[my_reflectors + column * my_stride + at];
}

fn old_value(column: u32, at: u32) -> vec4<f32> {
  if (at >= my_filled) {
    return vec4(0.0);
  }
  return balanced[my_columns + column * my_stride + at];
}

fn set_value(column: u32, at: u32, value: vec4<f32>) {
  balanced[my_columns + column * my_stride + at] = value;
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let side = sides[job.x];
  let first_triplet = PANEL * job.y;
  let width = (min(PANEL, side.triplets - first_triplet) + 3u) & ~3u;
  my_stride = side.stride;
  my_columns = side.balanced_base + first_triplet * side.stride;
  let small_stride = (side.reflectors + 3u) / 4u;
  my_filled = small_stride;
  let small_base = side.small_base + first_triplet * small_stride;
  for (var i = lane; i < width * small_stride; i += LANES) {
    set_value(i / small_stride, i % small_stride, small[small_base + i]);
  }
  let panels = (side.reflectors + PANEL - 1u) / PANEL;
  for (var step = 0u; step < panels; step++) {
    let panel = panels - 1u - step;
    let first = PANEL * panel;
    my_reflectors = side.base + first * side.stride;
    my_inverse = side.triangles + panel * TRIANGLE_VECTORS + BLOCK_VECTORS;
    storageBarrier();
    workgroupBarrier();
    // Columns beyond the padding of the last panel belong to someone else.
    let depth = min(PANEL, (side.columns - first + 3u) & ~3u);
    let filled = select(side.stride, small_stride, step == 0u);
    gram(lane, first / 4u, filled, depth, width);
    solve_block(lane, false);
    subtract_block(lane, first / 4u, side.stride, depth, width);
    workgroupBarrier();
    my_filled = side.stride;
  }
}
