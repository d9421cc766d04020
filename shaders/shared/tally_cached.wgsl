// Counts a digit of more bins than workgroup memory holds, on GPUs. Differences of halves take few
// values, so entries of one block hit the same bins over and over: the first bin to come to a slot
// owns it and is counted there (8 KiB), the others go to storage at once.

import package::shared::bins::{counts, digit};
import package::shared::index::WORKGROUP_SIZE;

const SLOTS = 1024u;

// Bin that owns the slot; 0, which is never counted, where none does.
var<workgroup> sh_bins: array<atomic<u32>, SLOTS>;
var<workgroup> sh_counts: array<atomic<u32>, SLOTS>;

fn tally(scope: u32, bin: u32) {
  let slot = (bin ^ (bin >> 10u)) % SLOTS;
  let owner = atomicCompareExchangeWeak(&sh_bins[slot], 0u, bin);
  if (owner.exchanged || owner.old_value == bin) {
    atomicAdd(&sh_counts[slot], 1u);
  } else {
    atomicAdd(&counts[scope * digit.bins + bin], 1u);
  }
}

// Every invocation of the workgroup must come here, in uniform control flow.
fn flush(scope: u32, lane: u32) {
  workgroupBarrier();
  for (var slot = lane; slot < SLOTS; slot += WORKGROUP_SIZE) {
    let count = atomicLoad(&sh_counts[slot]);
    if (count != 0u) {
      atomicAdd(&counts[scope * digit.bins + atomicLoad(&sh_bins[slot])], count);
    }
  }
}
