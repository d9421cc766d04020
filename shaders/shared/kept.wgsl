// The test that decides about one entry without looking at any other.

@group(0) @binding(4) var<storage, read> states: array<ScopeState>;

// `positions` count from the start of the chunk. Lanes outside the block are never kept.
fn kept(
  state: ScopeState,
  run: Block,
  keys: vec4<u32>,
  positions: vec4<u32>,
) -> vec4<bool> {
  let in_scope = positions - vec4(run.start) + vec4(scope_position(run));
  let tied = (keys == vec4(state.prefix)) & (in_scope <= vec4(state.tie_limit));
  return ((keys > vec4(state.prefix)) | tied) & (keys != vec4(OUTSIDE));
}
