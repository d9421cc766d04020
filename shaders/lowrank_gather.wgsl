// Factors of all products as float32, every column scaled by a power of two so that its largest
// magnitude lies in [1, 2): no dot product under- or overflows however the scale is spread over
// factors, terms and coefficients. Scaling columns does not change what QR does to them.
//
// One workgroup a panel. Bytes an element: the file's and 4 read, 8 written.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{Column, NO_EXPONENT, PANEL, Side};
import package::shared::lowrank_values::four_rows;

struct Params {
  first_job: u32,
  job_count: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // side, panel
var<storage, read> sides: array<Side>;
var<storage, read> column_table: array<Column>;
var<storage, read_write> scratch: array<vec4<f32>>;
var<storage, read_write> exponents: array<i32>;

const LANES = 64u;
const LANES_A_COLUMN = 4u;

var<workgroup> sh_largest: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let side = sides[job.x];
  let at = job.y * PANEL + lane / LANES_A_COLUMN;
  let part = lane % LANES_A_COLUMN;
  let padded = (side.columns + 3u) & ~3u;
  let real = at < side.columns;
  let column = column_table[side.first_column + min(at, side.columns - 1u)];
  let base = side.base + at * side.stride;
  var largest = vec4(0u);
  if (real) {
    for (var i = part; i < side.stride; i += LANES_A_COLUMN) {
      let bits = four_rows(column, 4u * i, side.length);
      largest = max(largest, bits & vec4(0x7fffffffu));
      scratch[base + i] = bitcast<vec4<f32>>(bits);
    }
  }
  sh_largest[lane] = max(max(largest.x, largest.y), max(largest.z, largest.w));
  workgroupBarrier();
  let first = lane - part;
  let magnitude = max(
    max(sh_largest[first], sh_largest[first + 1u]),
    max(sh_largest[first + 2u], sh_largest[first + 3u]),
  );
  // Columns of subnormals alone count as zero; 2^127 is brought to [2, 4).
  let biased = min(magnitude >> 23u, 253u);
  if (real && part == 0u) {
    exponents[side.first_column + at] = select(i32(biased) - 127, NO_EXPONENT, biased == 0u);
  }
  let scale = bitcast<f32>((254u - biased) << 23u);
  if (real && biased != 0u) {
    for (var i = part; i < side.stride; i += LANES_A_COLUMN) {
      scratch[base + i] *= scale;
    }
  } else if (at < padded) {
    for (var i = part; i < side.stride; i += LANES_A_COLUMN) {
      scratch[base + i] = vec4(0.0);
    }
  }
}
