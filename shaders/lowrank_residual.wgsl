// ‖(L D Rᵀ - U S Vᵀ) X‖² and ‖L D Rᵀ X‖² of every product for the four vectors of lowrank_probe: in
// expectation four times the squared Frobenius norms (Hutchinson 1989).
//
// One workgroup a product. Bytes an element of both left sides: the file's and 4; 8 flops.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{Column, power_of_two, Side};
import package::shared::lowrank_values::four_rows;

struct Params {
  job_count: u32,
}

var<uniform> params: Params;
var<storage, read> sides: array<Side>;
var<storage, read> column_table: array<Column>;
var<storage, read> exponents: array<i32>;
var<storage, read> balanced: array<vec4<f32>>;
var<storage, read> probes: array<vec4<f32>>;
var<storage, read_write> results: array<f32>;

const LANES = 64u;

var<workgroup> sh_squares: array<vec2<f32>, LANES>;

// Scaled entries of a column as it came, from row 4 i on; zero beyond the last row.
fn scaled_rows(side: Side, k: u32, i: u32) -> vec4<f32> {
  let at = side.first_column + k;
  let bits = four_rows(column_table[at], 4u * i, side.length);
  return power_of_two(-exponents[at]) * bitcast<vec4<f32>>(bits);
}

fn spread(probe: vec4<f32>, rows: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(probe * rows.x, probe * rows.y, probe * rows.z, probe * rows.w);
}

fn sum_of_squares(m: mat4x4<f32>) -> f32 {
  return dot(m[0], m[0]) + dot(m[1], m[1]) + dot(m[2], m[2]) + dot(m[3], m[3]);
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let left = sides[2u * index];
  let first_probe = sides[2u * index + 1u].first_probe;
  var squares = vec2(0.0);
  for (var i = lane; i < left.stride; i += LANES) {
    // Four rows, a column of the matrix each.
    var product = mat4x4<f32>();
    for (var k = 0u; k < left.columns; k++) {
      product += spread(probes[first_probe + k], scaled_rows(left, k, i));
    }
    var other = mat4x4<f32>();
    for (var k = 0u; k < left.triplets; k++) {
      let value = balanced[left.balanced_base + k * left.stride + i];
      other += spread(probes[first_probe + left.columns + k], value);
    }
    let difference = product - other;
    squares += vec2(sum_of_squares(difference), sum_of_squares(product));
  }
  sh_squares[lane] = squares;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      sh_squares[lane] += sh_squares[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    results[2u * index] = sh_squares[0].x;
    results[2u * index + 1u] = sh_squares[0].y;
  }
}
