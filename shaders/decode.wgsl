// A checkpoint's weights as float32, bit for bit. F32 needs no kernel: src/kernels/operations/apply.ts copies.
//
// One pass. An invocation writes one unit; eight workgroups a block, as in apply.wgsl.
// Bytes an element: 2 read, 4 written. About 11 operations in F16, 1 in BF16.

override DTYPE: u32;

struct Params {
  first_block: u32,
  block_count: u32,
  // Added to a chunk position, over four, gives the position in `weights`.
  shift: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> blocks: array<Block>;

@compute @workgroup_size(256)
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
