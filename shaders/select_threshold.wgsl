// Finds one digit of every scope's threshold: the largest bin such that it and the bins above it
// hold at least the entries still to keep. One workgroup a scope; no data is read but the bins.

import package::shared::index::{Grid, group_of};
import package::shared::scan::{exclusive_scan, SCAN_SIZE, scan_total};
import package::shared::scope::ScopeState;

struct Params {
  scope_count: u32,
  // Of this digit: 2048 or 1024.
  bins: u32,
  // Where the counts are rows of bins, one for each value of the digit before: 1023; else 0.
  row_mask: u32,
}

var<uniform> params: Params;
var<storage, read> counts: array<u32>;
var<storage, read_write> states: array<ScopeState>;

// Prefix that no key equals or exceeds: nothing is kept.
const ABOVE_EVERY_KEY = 0xffffffffu;

fn refine(scope: u32, bin: u32, above: u32, ties: u32) {
  // Before digit 0 the prefix is 0, so one rule serves all three.
  states[scope].prefix = states[scope].prefix * params.bins + bin;
  states[scope].remaining -= above;
  states[scope].ties = ties;
}

@compute @workgroup_size(SCAN_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let scope = group_of(grid);
  if (scope >= params.scope_count) {
    return;
  }
  // Lane 0 takes the highest bins, so that the scan sums from the top. Bin 0 may be left out: its
  // count is not stored (histogram.wgsl), and it is what remains when no other bin is found.
  let bins = params.bins;
  let first = (scope + (states[scope].prefix & params.row_mask)) * bins;
  let per_lane = bins / SCAN_SIZE;
  let top = bins - 1u - lane * per_lane;
  var sum = 0u;
  for (var i = 0u; i < per_lane; i++) {
    sum += counts[first + top - i];
  }
  let before = exclusive_scan(lane, sum);
  let total = scan_total();
  let wanted = states[scope].remaining;
  let ties = states[scope].ties;
  // All lanes have read the state before one of them changes it.
  storageBarrier();
  workgroupBarrier();
  if (wanted == 0u) {
    if (lane == 0u) {
      states[scope].prefix = ABOVE_EVERY_KEY;
    }
  } else if (total < wanted) {
    if (lane == 0u) {
      refine(scope, 0u, total, ties - total);
    }
  } else if (before < wanted && wanted <= before + sum) {
    var above = before;
    var bin = top;
    while (above + counts[first + bin] < wanted) {
      above += counts[first + bin];
      bin--;
    }
    refine(scope, bin, above, counts[first + bin]);
  }
}
