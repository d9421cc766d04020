// Counts in storage at once. For software adapters: their atomics are cheap wherever they go, while
// SwiftShader clears all of a workgroup's memory once for every four invocations, 64 times over.
// Linked instead of tally_workgroup.wgsl.

import package::shared::bins::{counts, digit};

fn tally(scope: u32, bin: u32) {
  atomicAdd(&counts[scope * digit.bins + bin], 1u);
}

fn flush(scope: u32, lane: u32) {}
