// Counts in workgroup memory (8 KiB) first, so that a block costs one atomic on storage a bin that
// occurs in it. For GPUs.

import package::shared::bins::{counts, digit, MAX_BINS};
import package::shared::index::WORKGROUP_SIZE;

var<workgroup> sh_bins: array<atomic<u32>, MAX_BINS>;

fn tally(scope: u32, bin: u32) {
  atomicAdd(&sh_bins[bin], 1u);
}

// Every invocation of the workgroup must come here, in uniform control flow.
fn flush(scope: u32, lane: u32) {
  workgroupBarrier();
  for (var bin = lane; bin < digit.bins; bin += WORKGROUP_SIZE) {
    let count = atomicLoad(&sh_bins[bin]);
    if (count != 0u) {
      atomicAdd(&counts[scope * digit.bins + bin], count);
    }
  }
}
