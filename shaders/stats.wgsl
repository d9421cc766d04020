// Per block: entries kept, those of them that are not zero, the energy (sum of squares) of the
// kept and of all u. Each invocation sums its units in order, sixteen their columns, one those: a
// fixed order.
// Blocks are summed in float64 by src/kernels/operations/measure.ts.
//
// One pass; one workgroup a block. Bytes an element: center and task read, 4 (halves) to 8. About 36
// operations in F16.

import package::shared::block::{end_unit, first_unit, unit_positions};
import package::shared::delta::{blocks, load_delta, params};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::kept::{kept, threshold_of};

struct BlockStats {
  kept: u32,
  non_zero: u32,
  kept_energy: f32,
  total_energy: f32,
}

var<storage, read_write> block_stats: array<BlockStats>;

// At most WORKGROUP_SIZE; on software adapters 16 (src/kernels/weights/wgsl.ts).
override LANES: u32 = WORKGROUP_SIZE;
const ROWS = 16u;

var<workgroup> sh_lanes: array<vec4<f32>, WORKGROUP_SIZE>;
var<workgroup> sh_columns: array<vec4<f32>, WORKGROUP_SIZE / ROWS>;

fn ones(flags: vec4<bool>) -> u32 {
  let bits = vec4<u32>(flags);
  return bits.x + bits.y + bits.z + bits.w;
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  let threshold = threshold_of(run);
  var count = vec2(0u);
  var energy = vec2(0.0);
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += LANES) {
    let delta = load_delta(unit);
    let positions = unit_positions(unit);
    let kept_low = kept(threshold, delta.keys.low, positions.low);
    let kept_high = kept(threshold, delta.keys.high, positions.high);
    let zero = vec4(0u);
    count.x += ones(kept_low) + ones(kept_high);
    count.y += ones(kept_low & (delta.keys.low != zero)) + ones(kept_high & (delta.keys.high != zero));
    let low = select(vec4(0.0), delta.low, kept_low);
    let high = select(vec4(0.0), delta.high, kept_high);
    energy.x += dot(low, low) + dot(high, high);
    energy.y += dot(delta.low, delta.low) + dot(delta.high, delta.high);
  }
  // Counts of a block are below 2^24, so float32 adds them exactly.
  sh_lanes[lane] = vec4(vec2<f32>(count), energy);
  workgroupBarrier();
  let columns = LANES / ROWS;
  if (lane < columns) {
    var sum = vec4(0.0);
    for (var row = 0u; row < ROWS; row++) {
      sum += sh_lanes[row * columns + lane];
    }
    sh_columns[lane] = sum;
  }
  workgroupBarrier();
  if (lane == 0u) {
    var sums = vec4(0.0);
    for (var column = 0u; column < columns; column++) {
      sums += sh_columns[column];
    }
    block_stats[params.first_block + index] =
      BlockStats(u32(sums.x), u32(sums.y), sums.z, sums.w);
  }
}
