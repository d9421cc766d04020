// A checkpoint's weights as float32, bit for bit. F32 needs no kernel: src/kernels/operations/apply.ts copies.
//
// One pass. An invocation writes one unit; eight workgroups a block, as in apply.wgsl.
// Bytes an element: 2 read, 4 written. About 11 operations in F16, 1 in BF16.

import package::shared::block::{Block, BLOCK_PARTS, end_unit, unit_of_part};
import package::shared::dtype::decode_halves;
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::store::store_octet;

override DTYPE: u32;

struct Params {
  first_block: u32,
  block_count: u32,
  // Added to a chunk position, over four, gives the position in `weights`.
  shift: i32,
}

var<uniform> params: Params;
var<storage, read> values: array<vec4<u32>>;
var<storage, read> blocks: array<Block>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index / BLOCK_PARTS >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index / BLOCK_PARTS];
  let unit = unit_of_part(run, index % BLOCK_PARTS, lane);
  if (unit < end_unit(run)) {
    store_octet(unit, run, params.shift, decode_halves(values[unit], DTYPE));
  }
}
