// Finds the position of the last kept tie inside the one block where a scope's ties are cut. One
// workgroup a scope that the chunk touches; it returns at once when that block lies in another
// chunk. Bytes: those of one block a scope, a sixty-fourth of them once more.

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
  // Each lane takes a run of units, so that one scan serves all.
  let units = end_unit(run) - first_unit(run);
  let per_lane = (units + SCAN_SIZE - 1u) / SCAN_SIZE;
  let first = first_unit(run) + min(lane * per_lane, units);
  let end = first_unit(run) + min((lane + 1u) * per_lane, units);
  var sum = 0u;
  for (var unit = first; unit < end; unit++) {
    sum += tie_count(load_ties(unit, run, state.prefix));
  }
  var before = exclusive_scan(lane, sum);
  if (before < state.tie_rank && state.tie_rank <= before + sum) {
    var unit = first;
    var ties = load_ties(unit, run, state.prefix);
    while (before + tie_count(ties) < state.tie_rank) {
      before += tie_count(ties);
      unit++;
      ties = load_ties(unit, run, state.prefix);
    }
    let in_chunk = unit * 8u + lane_of_rank(ties.low, ties.high, state.tie_rank - before);
    states[scope].tie_limit = in_chunk - run.start + scope_position(run);
  }
}

// 1 for each of a unit's elements at the threshold.
fn load_ties(unit: u32, run: Block, prefix: u32) -> Octet {
  let keys = load_delta(unit, run).keys;
  return Octet(vec4<u32>(keys.low == vec4(prefix)), vec4<u32>(keys.high == vec4(prefix)));
}

fn tie_count(ties: Octet) -> u32 {
  let sums = ties.low + ties.high;
  return sums.x + sums.y + sums.z + sums.w;
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
