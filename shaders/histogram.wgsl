// Counts one digit of the keys |theta_t - center| of every scope: digit 0 is the top 11 of the 31
// magnitude bits, digits 1 and 2 the next 10 each, counted where the digits above equal the
// scope's prefix. Or digits 1 and 2 at once, as one of 20 bits (src/kernels/engine.ts says when).
// Counts are integers, so their order does not matter.
//
// Bin 0 is not counted: it is the rest, in sparse or exact-zero task vectors nearly all of it, and
// padding.
//
// One pass a digit; one workgroup a block. Bytes an element: center and task read, 4 (halves) to 8.
// About 28 operations in F16; about 1 atomic for digit 0, far fewer after it, on storage at once
// or gathered by workgroup.

import package::shared::bins::{digit, MAX_BINS};
import package::shared::block::{end_unit, first_unit};
import package::shared::delta::{blocks, load_delta, params, scope_of};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};
import package::shared::scope::ScopeState;
// shared/tally_workgroup.wgsl, shared/tally_direct.wgsl or shared/tally_cached.wgsl.
import tally::{flush, tally};

var<storage, read> states: array<ScopeState>;

fn count_key(scope: u32, key: u32, hit: bool) {
  if (hit) {
    let bin = (key >> digit.bin_shift) & (digit.bins - 1u);
    if (bin != 0u) {
      tally(scope, bin);
    }
  }
}

fn count_keys(scope: u32, keys: vec4<u32>, prefix: u32) {
  let hits = (keys >> vec4(digit.prefix_shift)) == vec4(prefix);
  if (any(hits)) {
    count_key(scope, keys.x, hits.x);
    count_key(scope, keys.y, hits.y);
    count_key(scope, keys.z, hits.z);
    count_key(scope, keys.w, hits.w);
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  let scope = scope_of(run);
  // Above the first digit there is nothing, and no state yet.
  let first = digit.bins == MAX_BINS;
  let prefix = select(states[scope].prefix, 0u, first);
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += WORKGROUP_SIZE) {
    let keys = load_delta(unit).keys;
    count_keys(scope, keys.low, prefix);
    count_keys(scope, keys.high, prefix);
  }
  flush(scope, lane);
}
