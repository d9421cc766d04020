// What the right sides make of four fixed pseudorandom vectors of signs: D Rᵀ x of the factors as
// they came, one row a column, then (root of S) Vᵀ x of the factorisation, one row a triplet.
//
// One workgroup 16 columns. Bytes an element: the file's or 4; 8 flops.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{Column, Fact, power_of_two, Side};
import package::shared::lowrank_values::four_rows;

struct Params {
  first_job: u32,
  job_count: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // side, first row, 1 for triplets
var<storage, read> sides: array<Side>;
var<storage, read> column_table: array<Column>;
var<storage, read> exponents: array<i32>;
var<storage, read> facts: array<Fact>;
var<storage, read> balanced: array<vec4<f32>>;
var<storage, read_write> probes: array<vec4<f32>>;

const LANES = 64u;
const LANES_A_COLUMN = 4u;

var<workgroup> sh_sums: array<vec4<f32>, LANES>;

// Four signs at a position (a finaliser of MurmurHash3).
fn signs(row: u32) -> vec4<f32> {
  var mixed = (row + 1u) * 0x9e3779b9u;
  mixed = (mixed ^ (mixed >> 16u)) * 0x85ebca6bu;
  mixed = (mixed ^ (mixed >> 13u)) * 0xc2b2ae35u;
  mixed = mixed ^ (mixed >> 16u);
  let bits = (vec4(mixed) >> vec4(3u, 11u, 19u, 27u)) & vec4(1u);
  return vec4(1.0) - 2.0 * vec4<f32>(bits);
}

// Four rows of a column times the vectors of signs.
fn four_signs(rows: vec4<f32>, first: u32) -> vec4<f32> {
  return rows.x * signs(first) + rows.y * signs(first + 1u) +
    rows.z * signs(first + 2u) + rows.w * signs(first + 3u);
}

// D_k by the column's own scale.
fn weight_of(job_side: u32, at: u32) -> f32 {
  let left = sides[job_side - 1u].first_column + at;
  let right = sides[job_side].first_column + at;
  let own = exponents[left] + exponents[right];
  let exponent = own + column_table[left].exponent + column_table[right].exponent;
  return column_table[left].mantissa * power_of_two(exponent - facts[job_side / 2u].exponent);
}

fn dot_signs(side: Side, at: u32, part: u32) -> vec4<f32> {
  var sum = vec4(0.0);
  let column = column_table[side.first_column + at];
  let scale = power_of_two(-exponents[side.first_column + at]);
  for (var i = part; i < side.stride; i += LANES_A_COLUMN) {
    let bits = four_rows(column, 4u * i, side.length);
    sum += four_signs(scale * bitcast<vec4<f32>>(bits), 4u * i);
  }
  return sum;
}

fn dot_signs_balanced(side: Side, at: u32, part: u32) -> vec4<f32> {
  var sum = vec4(0.0);
  let start_at = side.balanced_base + at * side.stride;
  for (var i = part; i < side.stride; i += LANES_A_COLUMN) {
    sum += four_signs(balanced[start_at + i], 4u * i);
  }
  return sum;
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let side = sides[job.x];
  let at = job.y + lane / LANES_A_COLUMN;
  let part = lane % LANES_A_COLUMN;
  let is_triplet = job.z == 1u;
  let real = at < select(side.columns, side.triplets, is_triplet);
  var sum = vec4(0.0);
  if (real && is_triplet) {
    sum = dot_signs_balanced(side, at, part);
  } else if (real) {
    sum = dot_signs(side, at, part);
  }
  sh_sums[lane] = sum;
  workgroupBarrier();
  if (real && part == 0u) {
    sum = (sh_sums[lane] + sh_sums[lane + 1u]) + (sh_sums[lane + 2u] + sh_sums[lane + 3u]);
    if (is_triplet) {
      probes[side.first_probe + side.columns + at] = sum;
    } else {
      probes[side.first_probe + at] = weight_of(job.x, at) * sum;
    }
  }
}
