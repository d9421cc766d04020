// Applies the block reflector of one panel, transposed, to every panel right of it: R's next rows.
//
// One workgroup a panel of 16 columns. Flops: 4 · 16² a row; bytes: 4 read for V twice and for the
// columns twice, 4 written, an element.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_gram::{gram, LANES, TILES};
import package::shared::lowrank_reflect::{solve_block, subtract_block};
import package::shared::lowrank_tables::{BLOCK_VECTORS, PANEL, Side, TRIANGLE_VECTORS};

struct Params {
  first_job: u32,
  job_count: u32,
  panel: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // side, panel
var<storage, read> sides: array<Side>;
var<storage, read_write> scratch: array<vec4<f32>>;

var<private> my_stride: u32;
// First vectors of V, of the columns to change, and of the inverse of T.
var<private> my_reflectors: u32;
var<private> my_columns: u32;
var<private> my_inverse: u32;

fn four_columns(start_at: u32) -> mat4x4<f32> {
  return mat4x4(
    scratch[start_at],
    scratch[start_at + my_stride],
    scratch[start_at + 2u * my_stride],
    scratch[start_at + 3u * my_stride],
  );
}

fn left_rows(column: u32, at: u32) -> mat4x4<f32> {
  return four_columns(my_reflectors + column * my_stride + at);
}

fn right_rows(column: u32, at: u32) -> mat4x4<f32> {
  return four_columns(my_columns + column * my_stride + at);
}

fn inverse_t(row: u32, column: u32) -> f32 {
  return scratch[my_inverse + TILES * row + column / 4u][column % 4u];
}

fn reflector(column: u32, at: u32) -> vec4<f32> {
  return scratch[my_reflectors + column * my_stride + at];
}

fn old_value(column: u32, at: u32) -> vec4<f32> {
  return scratch[my_columns + column * my_stride + at];
}

fn set_value(column: u32, at: u32, value: vec4<f32>) {
  scratch[my_columns + column * my_stride + at] = value;
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let side = sides[job.x];
  let first = PANEL * params.panel;
  if (job.y <= params.panel || first >= side.reflectors) {
    return;
  }
  my_stride = side.stride;
  my_reflectors = side.base + first * side.stride;
  my_columns = side.base + PANEL * job.y * side.stride;
  my_inverse = side.triangles + params.panel * TRIANGLE_VECTORS + BLOCK_VECTORS;
  let width = (min(PANEL, side.columns - PANEL * job.y) + 3u) & ~3u;
  gram(lane, first / 4u, side.stride, PANEL, width);
  solve_block(lane, true);
  subtract_block(lane, first / 4u, side.stride, PANEL, width);
}
