// Of each block: how many entries are kept, the bytes of 255 between them, and where the first and the
// last lie. src/kernels/operations/encode.ts adds up what lies before each block, across chunks too.
//
// One workgroup a block; reads bits, no weights. Bytes an element: 1/8 read; 16 written a block.
// About 12 operations for every 32 elements.

import package::shared::block::Block;
import package::shared::index::{Grid, group_of};
import package::shared::kept_parts::{part_of, tally_before, tally_of_block};
import package::shared::scan::SCAN_SIZE;

struct Params {
  first_block: u32,
  block_count: u32,
}

// `first` and `last` count from the block's start and mean nothing where none is kept.
struct BlockKept {
  count: u32,
  skips: u32,
  first: u32,
  last: u32,
}

var<uniform> params: Params;
var<storage, read> blocks: array<Block>;
var<storage, read_write> block_kept: array<BlockKept>;

@compute @workgroup_size(SCAN_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.block_count) {
    return;
  }
  let at = params.first_block + index;
  let run = blocks[at];
  let part = part_of(run, lane);
  let before = tally_before(lane, part);
  let all = tally_of_block();
  if (lane == 0u) {
    block_kept[at].count = all.count;
    block_kept[at].skips = all.skips;
  }
  if (part.count != 0u && before.count == 0u) {
    block_kept[at].first = part.first - 1u - run.start;
  }
  if (part.count != 0u && before.count + part.count == all.count) {
    block_kept[at].last = part.last - 1u - run.start;
  }
}
