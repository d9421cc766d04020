// Sums the counts of a 20-bit digit over its low 10 bits: the counts of its high 10 bits, so that
// select_threshold.wgsl finds the one, then the other. One scope; `sums` starts zeroed.
//
// One pass over 4 MiB of counts, however many elements there are; sixteen invocations a sum.

import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};

const ROWS = 1024u;
// In vec4<u32>.
const ROW_VECTORS = 256u;
const ROW_PARTS = 16u;

var<storage, read> counts: array<vec4<u32>>;
var<storage, read_write> sums: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid) * WORKGROUP_SIZE + lane;
  let row = index / ROW_PARTS;
  // Bin 0 is the rest here as elsewhere, and not counted (histogram.wgsl).
  if (row == 0u || row >= ROWS) {
    return;
  }
  var sum = vec4(0u);
  for (var i = index % ROW_PARTS; i < ROW_VECTORS; i += ROW_PARTS) {
    sum += counts[row * ROW_VECTORS + i];
  }
  let total = sum.x + sum.y + sum.z + sum.w;
  if (total != 0u) {
    atomicAdd(&sums[row], total);
  }
}
