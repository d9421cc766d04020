// Finds the position of the last kept tie inside the one block where a scope's ties are cut. One
// workgroup a scope that the chunk touches; it returns at once when that block lies in another
// chunk. Bytes: those of one block a scope.

@group(0) @binding(4) var<storage, read_write> states: array<ScopeState>;
@group(0) @binding(5) var<uniform> scopes: Scopes;

// The scopes that a chunk touches: a run.
struct Scopes {
  first: u32,
  count: u32,
}

var<workgroup> sh_state: ScopeState;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  if (index >= scopes.count) {
    return;
  }
  let scope = scopes.first + index;
  if (lane == 0u) {
    sh_state = states[scope];
  }
  let state = workgroupUniformLoad(&sh_state);
  if (state.tie_block - params.first_block >= params.block_count) {
    return;
  }
  let run = blocks[state.tie_block];
  let threshold = vec4(state.prefix);
  var passed = 0u;
  for (var first = first_unit(run); first < end_unit(run); first += SCAN_SIZE) {
    let unit = first + lane;
    var low = vec4(0u);
    var high = vec4(0u);
    if (unit < end_unit(run)) {
      let delta = load_delta(unit, run);
      low = vec4<u32>(delta.keys.low == threshold);
      high = vec4<u32>(delta.keys.high == threshold);
    }
    let sums = low + high;
    let ties = sums.x + sums.y + sums.z + sums.w;
    let before = passed + exclusive_scan(lane, ties);
    if (before < state.tie_rank && state.tie_rank <= before + ties) {
      let in_chunk = unit * 8u + lane_of_rank(low, high, state.tie_rank - before);
      states[scope].tie_limit = in_chunk - run.start + scope_position(run);
    }
    passed += scan_total();
  }
}

// Which of the eight lanes is the rank-th (1 = first) that is set.
fn lane_of_rank(low: vec4<u32>, high: vec4<u32>, rank: u32) -> u32 {
  var seen = 0u;
  for (var i = 0u; i < 4u; i++) {
    seen += low[i];
    if (seen == rank) {
      return i;
    }
  }
  for (var i = 0u; i < 3u; i++) {
    seen += high[i];
    if (seen == rank) {
      return i + 4u;
    }
  }
  return 7u;
}
