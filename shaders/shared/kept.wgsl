// The test that decides about one entry without looking at any other.

import package::shared::block::Block;
import package::shared::delta::{scope_of, scope_position};
import package::shared::scope::ScopeState;

var<storage, read> states: array<ScopeState>;

struct Threshold {
  // Larger keys are kept, and equal ones at positions in the chunk before `ties_end`.
  key: u32,
  ties_end: u32,
}

fn threshold_of(run: Block) -> Threshold {
  let state = states[scope_of(run)];
  let first = scope_position(run);
  var ties = 0u;
  if (state.tie_limit >= first) {
    ties = min(state.tie_limit - first, run.count - 1u) + 1u;
  }
  return Threshold(state.prefix, run.start + ties);
}

// Padding is not kept: its key is 0 and its position lies behind all ties.
fn kept(threshold: Threshold, keys: vec4<u32>, positions: vec4<u32>) -> vec4<bool> {
  // Keys have 31 bits, so adding 1 turns "larger" into "larger or equal".
  return keys + vec4<u32>(positions < vec4(threshold.ties_end)) > vec4(threshold.key);
}
