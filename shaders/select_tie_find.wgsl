// Finds the position of the last kept tie of every scope that cuts ties, if it lies in this chunk: a
// scan over the scope's blocks here finds the block, another inside the block the entry. If it lies
// further on, the ties of this chunk are taken off those to keep.
//
// One workgroup a scope that the chunk touches. Bytes: those of one block a scope, a sixty-fourth of
// them once more, and 4 a block.

import package::shared::block::{end_unit, first_unit};
import package::shared::delta::{blocks, load_delta, params, scope_position};
import package::shared::dtype::Octet;
import package::shared::index::{Grid, group_of};
import package::shared::scan::{exclusive_scan, SCAN_SIZE, scan_total};
import package::shared::scope::{cuts_ties, ScopeState};

var<storage, read> tie_counts: array<u32>;
var<storage, read_write> states: array<ScopeState>;
var<uniform> scopes: Scopes;

// The scopes that a chunk touches: a run.
struct Scopes {
  first: u32,
  count: u32,
}

// Where the last kept tie lies: block, and its rank there (1 = first).
struct Place {
  block: u32,
  rank: u32,
}

const NO_BLOCK = 0xffffffffu;

var<workgroup> sh_state: ScopeState;
var<workgroup> sh_place: Place;

@compute @workgroup_size(SCAN_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= scopes.count) {
    return;
  }
  let scope = scopes.first + index;
  if (lane == 0u) {
    sh_state = states[scope];
    sh_place = Place(NO_BLOCK, 0u);
  }
  let state = workgroupUniformLoad(&sh_state);
  if (!cuts_ties(state)) {
    return;
  }
  find_block(state, lane);
  let place = workgroupUniformLoad(&sh_place);
  if (place.block != NO_BLOCK) {
    find_entry(scope, state, place, lane);
  } else if (lane == 0u) {
    states[scope].remaining -= scan_total();
    states[scope].ties -= scan_total();
  }
}

fn find_block(state: ScopeState, lane: u32) {
  let start = max(state.first_block, params.first_block);
  let end = min(
    state.first_block + state.block_count,
    params.first_block + params.block_count,
  );
  // Each lane takes a run of blocks, so that one scan serves all.
  let part = lane_part(start, max(start, end), lane);
  var sum = 0u;
  for (var run = part.x; run < part.y; run++) {
    sum += tie_counts[run];
  }
  var before = exclusive_scan(lane, sum);
  if (before < state.remaining && state.remaining <= before + sum) {
    var run = part.x;
    while (before + tie_counts[run] < state.remaining) {
      before += tie_counts[run];
      run++;
    }
    sh_place = Place(run, state.remaining - before);
  }
}

fn find_entry(scope: u32, state: ScopeState, place: Place, lane: u32) {
  let run = blocks[place.block];
  // Each lane takes a run of units. Padding comes last, where no rank leads.
  let part = lane_part(first_unit(run), end_unit(run), lane);
  var sum = 0u;
  for (var unit = part.x; unit < part.y; unit++) {
    sum += tie_count(load_ties(unit, state.prefix));
  }
  var before = exclusive_scan(lane, sum);
  if (before < place.rank && place.rank <= before + sum) {
    var unit = part.x;
    var ties = load_ties(unit, state.prefix);
    while (before + tie_count(ties) < place.rank) {
      before += tie_count(ties);
      unit++;
      ties = load_ties(unit, state.prefix);
    }
    let in_chunk = unit * 8u + lane_of_rank(ties.low, ties.high, place.rank - before);
    states[scope].tie_limit = in_chunk - run.start + scope_position(run);
    states[scope].remaining = 0u;
    states[scope].ties = 0u;
  }
}

// The lane's equal share of [start, end), lower lanes first.
fn lane_part(start: u32, end: u32, lane: u32) -> vec2<u32> {
  let count = end - start;
  let per_lane = (count + SCAN_SIZE - 1u) / SCAN_SIZE;
  return vec2(start) + min(vec2(lane, lane + 1u) * per_lane, vec2(count));
}

// 1 for each of a unit's elements at the threshold.
fn load_ties(unit: u32, prefix: u32) -> Octet {
  let keys = load_delta(unit).keys;
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
