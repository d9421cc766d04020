// Finds, for every scope that keeps only some of its ties, the block in which the last kept one
// lies, and its rank there: a scan over the scope's blocks in order. One workgroup a scope.

struct Params {
  scope_count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tie_counts: array<u32>;
@group(0) @binding(2) var<storage, read_write> states: array<ScopeState>;

var<workgroup> sh_state: ScopeState;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let scope = group_index(group, groups);
  if (scope >= params.scope_count) {
    return;
  }
  if (lane == 0u) {
    sh_state = states[scope];
  }
  let state = workgroupUniformLoad(&sh_state);
  if (!cuts_ties(state)) {
    return;
  }
  var passed = 0u;
  for (var first = 0u; first < state.block_count; first += SCAN_SIZE) {
    let run = first + lane;
    var ties = 0u;
    if (run < state.block_count) {
      ties = tie_counts[state.first_block + run];
    }
    let before = passed + exclusive_scan(lane, ties);
    if (before < state.remaining && state.remaining <= before + ties) {
      states[scope].tie_block = state.first_block + run;
      states[scope].tie_rank = state.remaining - before;
    }
    passed += scan_total();
  }
}
