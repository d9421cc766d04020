// Weights for the evaluator, as float32: center + round(u) where kept, the center's own bits
// elsewhere (PERU-FFT, arXiv 2310.01886, eq. 4). Unkept entries never pass through f32 arithmetic,
// so nothing kept is the center bit for bit.
//
// One workgroup a block. Bytes an element: center and task read, 4 (halves) to 8; 4 written.

@group(0) @binding(6) var<uniform> target_params: TargetParams;

struct TargetParams {
  value_dtype: u32,
  // Added to a chunk position gives the position in `weights`.
  shift: i32,
}

fn add_kept(center_bits: vec4<u32>, u: vec4<f32>, keep: vec4<bool>) -> vec4<u32> {
  let value = bitcast<vec4<f32>>(round_bits(bitcast<vec4<u32>>(u), target_params.value_dtype));
  let sum = bitcast<vec4<u32>>(bitcast<vec4<f32>>(center_bits) + value);
  return select(center_bits, sum, keep);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  let state = states[scope_of(run)];
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += WORKGROUP_SIZE) {
    let delta = load_delta(unit, run);
    let positions = unit_positions(unit);
    let kept_low = kept(state, run, delta.keys.low, positions.low);
    let kept_high = kept(state, run, delta.keys.high, positions.high);
    let low = add_kept(delta.center.low, delta.low, kept_low);
    let high = add_kept(delta.center.high, delta.high, kept_high);
    store_octet(unit, run, target_params.shift, Octet(low, high));
  }
}
