// weights = base + sum_k c_k l_k r_kᵀ in f32, the sum first: one weight [rows, columns], row-major.
// Columns l_k and r_k are those of files in their dtypes, or of the balanced factors of a
// factorisation.
//
// One workgroup 16 rows x 64 columns, 16 entries a lane. Bytes an entry: 4 read, 4 written; 2 flops
// an entry and k, 8 loads for 16 products.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{Column, power_of_two};
import package::shared::lowrank_values::values_at;

struct Params {
  // Rows of this dispatch, and which row of the product is its first.
  rows: u32,
  first_row: u32,
  columns: u32,
  rank: u32,
  left_column: u32,
  right_column: u32,
}

var<uniform> params: Params;
var<storage, read> column_table: array<Column>;
var<storage, read> base: array<f32>;
var<storage, read_write> weights: array<f32>;

const LANES = 64u;
const TILE_ROWS = 16u;
const TILE_COLUMNS = 64u;
const LANES_A_ROW = 16u;

fn scaled(column: Column, rows: vec4<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(values_at(column, rows)) * power_of_two(column.exponent);
}

fn store_row(row: u32, column: u32, sum: vec4<f32>) {
  if (row < params.rows) {
    for (var i = 0u; i < 4u; i++) {
      let at = column + i * LANES_A_ROW;
      if (at < params.columns) {
        let entry = row * params.columns + at;
        weights[entry] = base[entry] + sum[i];
      }
    }
  }
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  let tiles_across = (params.columns + TILE_COLUMNS - 1u) / TILE_COLUMNS;
  let top = TILE_ROWS * (index / tiles_across);
  if (top >= params.rows) {
    return;
  }
  let row = top + lane / LANES_A_ROW;
  let column = TILE_COLUMNS * (index % tiles_across) + lane % LANES_A_ROW;
  // Beyond the edge the last entry is read again.
  let rows = min(vec4(row) + vec4(0u, 4u, 8u, 12u), vec4(params.rows - 1u)) + params.first_row;
  let columns = min(vec4(column) + vec4(0u, 16u, 32u, 48u), vec4(params.columns - 1u));
  var sum_0 = vec4(0.0);
  var sum_1 = vec4(0.0);
  var sum_2 = vec4(0.0);
  var sum_3 = vec4(0.0);
  for (var k = 0u; k < params.rank; k++) {
    let left = column_table[params.left_column + k];
    let l = scaled(left, rows);
    let r = left.mantissa * scaled(column_table[params.right_column + k], columns);
    sum_0 += l.x * r;
    sum_1 += l.y * r;
    sum_2 += l.z * r;
    sum_3 += l.w * r;
  }
  store_row(row, column, sum_0);
  store_row(row + 4u, column, sum_1);
  store_row(row + 8u, column, sum_2);
  store_row(row + 12u, column, sum_3);
}
