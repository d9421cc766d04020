// Counts in each block the entries exactly at the threshold, where only some of them are kept and
// the last of those was not found in an earlier chunk. Elsewhere it returns at once.
//
// One pass, over the chunks up to the one that holds the last kept tie; one workgroup a block.
// Bytes an element: center and task read, 4 (halves) to 8. About 26 operations in F16, at most one
// atomic for every 64 elements.

import package::shared::block::{end_unit, first_unit, padding};
import package::shared::delta::{blocks, load_delta, params, scope_of};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::scope::{cuts_ties, ScopeState};

var<storage, read> states: array<ScopeState>;
var<storage, read_write> tie_counts: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
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
    let keys = load_delta(unit).keys;
    found += vec4<u32>(keys.low == threshold) + vec4<u32>(keys.high == threshold);
  }
  var sum = found.x + found.y + found.z + found.w;
  if (lane == 0u && state.prefix == 0u) {
    // Padding has key 0 and is no entry. This may wrap; the sum over all lanes does not.
    sum -= padding(run);
  }
  if (sum != 0u) {
    atomicAdd(&tie_counts[params.first_block + index], sum);
  }
}
