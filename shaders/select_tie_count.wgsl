// Counts in each block the entries exactly at the threshold, where only some of them are kept.
// Elsewhere it returns at once.
//
// One workgroup a block. Bytes an element: center and task read, 4 (halves) to 8; at most one
// atomic for every 64 elements.

@group(0) @binding(4) var<storage, read> states: array<ScopeState>;
@group(0) @binding(5) var<storage, read_write> tie_counts: array<atomic<u32>>;

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
  if (!cuts_ties(state)) {
    return;
  }
  let threshold = vec4(state.prefix);
  var found = vec4(0u);
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += WORKGROUP_SIZE) {
    let delta = load_delta(unit, run);
    found += vec4<u32>(delta.keys.low == threshold) + vec4<u32>(delta.keys.high == threshold);
  }
  let sum = found.x + found.y + found.z + found.w;
  if (sum != 0u) {
    atomicAdd(&tie_counts[params.first_block + index], sum);
  }
}
