// One bit an element of the chunk, padding included, set where kept; the buffer starts zeroed. Two
// blocks may share a word, so words are joined by atomics.
//
// One pass. An invocation handles one unit; eight workgroups a block, as in apply.wgsl.
// Bytes an element: center and task read, 4 (halves) to 8; 1/8 written.

import package::shared::block::{BLOCK_PARTS, end_unit, unit_of_part, unit_positions};
import package::shared::delta::{blocks, load_delta, params};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::kept::{kept, threshold_of};

var<storage, read_write> kept_bits: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index / BLOCK_PARTS >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index / BLOCK_PARTS];
  let unit = unit_of_part(run, index % BLOCK_PARTS, lane);
  if (unit >= end_unit(run)) {
    return;
  }
  let threshold = threshold_of(run);
  let keys = load_delta(unit).keys;
  let positions = unit_positions(unit);
  let low = vec4<u32>(kept(threshold, keys.low, positions.low));
  let high = vec4<u32>(kept(threshold, keys.high, positions.high));
  let weighed = (low << vec4(0u, 1u, 2u, 3u)) | (high << vec4(4u, 5u, 6u, 7u));
  let bits = weighed.x | weighed.y | weighed.z | weighed.w;
  if (bits != 0u) {
    atomicOr(&kept_bits[unit / 4u], bits << (8u * (unit % 4u)));
  }
}
