// The test that decides about one entry without looking at any other.

@group(0) @binding(4) var<storage, read> states: array<ScopeState>;

struct Cut {
  // Larger keys are kept, and equal ones at positions in the chunk before `ties_end`.
  threshold: u32,
  ties_end: u32,
}

fn cut_of(run: Block) -> Cut {
  let state = states[scope_of(run)];
  let first = scope_position(run);
  var ties = 0u;
  if (state.tie_limit >= first) {
    ties = min(state.tie_limit - first, run.count - 1u) + 1u;
  }
  return Cut(state.prefix, run.start + ties);
}

// Padding is not kept: its key is 0 and its position lies behind all ties.
fn kept(cut: Cut, keys: vec4<u32>, positions: vec4<u32>) -> vec4<bool> {
  // Keys have 31 bits, so adding 1 turns "larger" into "larger or equal".
  return keys + vec4<u32>(positions < vec4(cut.ties_end)) > vec4(cut.threshold);
}
