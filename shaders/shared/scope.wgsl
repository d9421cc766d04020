// What a selection knows of one scope. Made by src/kernels/operations/select.ts, refined digit by digit.

struct ScopeState {
  // The key's digits found so far; the whole threshold after the third.
  prefix: u32,
  // Entries still to keep among those that share the prefix, and how many share it. While ties are
  // cut, those in chunks gone by count no more; once the last kept tie is found, both are 0.
  remaining: u32,
  ties: u32,
  // Entries at the threshold are kept up to this position of the scope, itself included.
  tie_limit: u32,
  // The scope's blocks: a run of the block table.
  first_block: u32,
  block_count: u32,
}

// Some but not all entries at the threshold are kept. With nothing to keep there is no threshold.
fn cuts_ties(state: ScopeState) -> bool {
  return state.remaining != 0u && state.remaining < state.ties;
}
