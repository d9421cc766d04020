// weights[position] += value, for entries that were decoded from a file's bytes.
//
// One pass; an invocation adds one entry. Bytes an entry: 8 read, and of the weight 4 read and 4 written, in
// cache lines of their own where entries lie far apart. 1 operation.

import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};

struct Params {
  entry_count: u32,
}

// Position in what is bound as `weights`, and the float32 bits of the value. Positions differ.
var<storage, read> entries: array<vec2<u32>>;
var<storage, read_write> weights: array<f32>;
var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid) * WORKGROUP_SIZE + lane;
  if (index >= params.entry_count) {
    return;
  }
  let entry = entries[index];
  weights[entry.x] += bitcast<f32>(entry.y);
}
