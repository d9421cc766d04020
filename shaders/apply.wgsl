// Weights for the evaluator, as float32: center + the stored value of u where kept, the center's own
// bits elsewhere (PERU-FFT, arXiv 2310.01886, eq. 4). Unkept entries never pass through
// f32 arithmetic, so nothing kept is the center bit for bit.
//
// One pass. An invocation writes one unit; eight workgroups a block, so that one tensor alone keeps
// a large GPU busy (a 768 x 768 matrix: 288 workgroups). A dispatch a tensor and chunk: one a chunk
// into a scratch buffer, then a copy a tensor, would take as many commands (ViT-B/32: 199 and some)
// and move 16 bytes an element instead of 8.
// Bytes an element: center and task read, 4 (halves) to 8; 4 written. About 55 operations in F16.

import package::shared::block::{BLOCK_PARTS, end_unit, unit_of_part, unit_positions};
import package::shared::delta::{blocks, load_delta, params};
import package::shared::dtype::Octet;
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::kept::{kept, threshold_of};
import package::shared::store::store_octet;
// shared/value_float.wgsl or shared/value_i8.wgsl.
import value::loaded_bits;

var<uniform> target_params: TargetParams;

struct TargetParams {
  value_dtype: u32,
  // Added to a chunk position, over four, gives the position in `weights`.
  shift: i32,
}

fn add_kept(center_bits: vec4<u32>, u: vec4<f32>, keep: vec4<bool>, tensor: u32) -> vec4<u32> {
  let value = bitcast<vec4<f32>>(loaded_bits(u, tensor, target_params.value_dtype));
  let sum = bitcast<vec4<u32>>(bitcast<vec4<f32>>(center_bits) + value);
  return select(center_bits, sum, keep);
}

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
  let delta = load_delta(unit);
  let positions = unit_positions(unit);
  let keep_low = kept(threshold, delta.keys.low, positions.low);
  let keep_high = kept(threshold, delta.keys.high, positions.high);
  let low = add_kept(delta.center.low, delta.low, keep_low, run.tensor);
  let high = add_kept(delta.center.high, delta.high, keep_high, run.tensor);
  store_octet(unit, run, target_params.shift, Octet(low, high));
}
