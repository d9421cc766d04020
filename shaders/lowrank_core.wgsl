// The core of every product, C = R_L D R_Rᵀ, D being the terms' coefficients and what the columns
// were scaled by. Written as X, C or its transpose, whichever has at least as many rows as columns;
// the rotations start as the identity.
//
// One workgroup 16 x 16 entries. Flops: 3 an entry and column right of both its row and column.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{
  Column, Fact, NO_EXPONENT, PANEL, power_of_two, Product, Side, TRIANGLE_VECTORS,
};

struct Params {
  first_job: u32,
  job_count: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // product, block row, block column
var<storage, read> sides: array<Side>;
var<storage, read> products: array<Product>;
var<storage, read> column_table: array<Column>;
var<storage, read> exponents: array<i32>;
var<storage, read> scratch: array<f32>;
var<storage, read_write> cores: array<f32>;
var<storage, read_write> facts: array<Fact>;

const LANES = 64u;

var<workgroup> sh_exponents: array<i32, LANES>;
var<workgroup> sh_weights: array<f32, LANES>;

fn exponent_of(left: Side, right: Side, k: u32) -> i32 {
  let l = left.first_column + k;
  let r = right.first_column + k;
  let own = exponents[l] + exponents[r];
  return max(NO_EXPONENT, own + column_table[l].exponent + column_table[r].exponent);
}

// Entry of a side's R; `row` may lie beyond it.
fn triangle(side: Side, row: u32, column: u32) -> f32 {
  if (row > column || row >= side.reflectors) {
    return 0.0;
  }
  let panel = column / PANEL;
  if (row / PANEL == panel) {
    let start_at = 4u * (side.triangles + panel * TRIANGLE_VECTORS);
    return scratch[start_at + PANEL * (row % PANEL) + column % PANEL];
  }
  return scratch[4u * (side.base + column * side.stride) + row];
}

fn padded(rows: u32) -> u32 {
  return (rows + 3u) & ~3u;
}

// Every invocation must come here, in uniform control flow.
fn product_exponent(lane: u32, left: Side, right: Side) -> i32 {
  var largest = NO_EXPONENT;
  for (var k = lane; k < left.columns; k += LANES) {
    largest = max(largest, exponent_of(left, right, k));
  }
  sh_exponents[lane] = largest;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      sh_exponents[lane] = max(sh_exponents[lane], sh_exponents[lane + half]);
    }
    workgroupBarrier();
  }
  largest = sh_exponents[0];
  // Even, upwards; 0 for a product that is zero.
  return select((largest + 1) & ~1, 0, largest == NO_EXPONENT);
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let product = products[job.x];
  let left = sides[2u * job.x];
  let right = sides[2u * job.x + 1u];
  let exponent = product_exponent(lane, left, right);
  let row = PANEL * job.y + lane / 4u;
  let column = PANEL * job.z + 4u * (lane % 4u);
  var sum = vec4(0.0);
  let first = PANEL * max(job.y, job.z);
  for (var start = first; start < left.columns; start += LANES) {
    workgroupBarrier();
    let k = start + lane;
    if (k < left.columns) {
      let mantissa = column_table[left.first_column + k].mantissa;
      sh_weights[lane] = mantissa * power_of_two(exponent_of(left, right, k) - exponent);
    }
    workgroupBarrier();
    for (var i = 0u; i < min(LANES, left.columns - start); i++) {
      let at = start + i;
      sum += triangle(left, row, at) * sh_weights[i] * vec4(
        triangle(right, column, at),
        triangle(right, column + 1u, at),
        triangle(right, column + 2u, at),
        triangle(right, column + 3u, at),
      );
    }
  }
  let tall = left.reflectors >= right.reflectors;
  for (var i = 0u; i < 4u; i++) {
    let j = column + i;
    if (tall && row < padded(left.reflectors) && j < right.reflectors) {
      cores[4u * product.core_base + j * padded(left.reflectors) + row] = sum[i];
    }
    if (!tall && j < padded(right.reflectors) && row < left.reflectors) {
      cores[4u * product.core_base + row * padded(right.reflectors) + j] = sum[i];
    }
    if (row < padded(left.triplets) && j < left.triplets) {
      let at = 4u * product.rotations_base + j * padded(left.triplets) + row;
      cores[at] = select(0.0, 1.0, row == j);
    }
  }
  if (lane == 0u && job.y == 0u && job.z == 0u) {
    facts[job.x] = Fact(exponent, 0u, 1u, 0u);
  }
}
