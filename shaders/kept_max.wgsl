// The largest key kept in each block, 0 where none is: I8 values take their step from it. NaN lies above
// infinity. The buffer starts zeroed.
//
// One pass; one workgroup a block. Bytes an element: center and task read, 4 (halves) to 8. About 30
// operations in F16, at most one atomic for every 64 elements.

import package::shared::block::{end_unit, first_unit, unit_positions};
import package::shared::delta::{blocks, load_delta, params};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::kept::{kept, threshold_of};

var<storage, read_write> block_max: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  let threshold = threshold_of(run);
  let zero = vec4(0u);
  var most = zero;
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += WORKGROUP_SIZE) {
    let keys = load_delta(unit).keys;
    let positions = unit_positions(unit);
    most = max(most, select(zero, keys.low, kept(threshold, keys.low, positions.low)));
    most = max(most, select(zero, keys.high, kept(threshold, keys.high, positions.high)));
  }
  let largest = max(max(most.x, most.y), max(most.z, most.w));
  if (largest != 0u) {
    atomicMax(&block_max[params.first_block + index], largest);
  }
}
