// One bit an element of the chunk, set where kept; the buffer starts zeroed. Two blocks may share
// a word, so words are joined by atomics.
//
// One workgroup a block. Bytes an element: center and task read, 4 (halves) to 8; 1/8 written.

@group(0) @binding(5) var<storage, read_write> kept_bits: array<atomic<u32>>;

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
    let low = vec4<u32>(kept(state, run, delta.keys.low, positions.low));
    let high = vec4<u32>(kept(state, run, delta.keys.high, positions.high));
    let weighed = (low << vec4(0u, 1u, 2u, 3u)) | (high << vec4(4u, 5u, 6u, 7u));
    let bits = weighed.x | weighed.y | weighed.z | weighed.w;
    if (bits != 0u) {
      atomicOr(&kept_bits[unit / 4u], bits << (8u * (unit % 4u)));
    }
  }
}
