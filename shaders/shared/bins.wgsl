// The bins that a digit of the keys is counted in.

struct Digit {
  bins: u32,
  bin_shift: u32,
  // Of the digits above this one.
  prefix_shift: u32,
}

var<uniform> digit: Digit;
var<storage, read_write> counts: array<atomic<u32>>;

const MAX_BINS = 2048u;
