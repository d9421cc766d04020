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
  // Each lane takes a run of blocks, so that one scan serves all.
  let per_lane = (state.block_count + SCAN_SIZE - 1u) / SCAN_SIZE;
  let first = state.first_block + min(lane * per_lane, state.block_count);
  let end = state.first_block + min((lane + 1u) * per_lane, state.block_count);
  var sum = 0u;
  for (var run = first; run < end; run++) {
    sum += tie_counts[run];
  }
  var before = exclusive_scan(lane, sum);
  if (before < state.remaining && state.remaining <= before + sum) {
    var run = first;
    while (before + tie_counts[run] < state.remaining) {
      before += tie_counts[run];
      run++;
    }
    states[scope].tie_block = run;
    states[scope].tie_rank = state.remaining - before;
  }
}
