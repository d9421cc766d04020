// Counts NaN and Inf a tensor, by the exponent bits of the file's own words: f32 arithmetic may
// assume that neither occurs.
//
// One pass; one workgroup a block, neighbouring lanes read neighbouring vectors. Bytes an element: 2
// (halves) or 4 read. About 2 operations; no atomic in a sound checkpoint.

import package::shared::block::{Block, end_unit, first_unit};
import package::shared::dtype::{BF16, F16, F32};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};

override DTYPE: u32;

struct Params {
  first_block: u32,
  block_count: u32,
}

var<uniform> params: Params;
var<storage, read> values: array<vec4<u32>>;
var<storage, read> blocks: array<Block>;
var<storage, read_write> counts: array<atomic<u32>>;

// Exponents of the values in a word, and the lowest bit of each.
struct Exponents {
  mask: u32,
  unit: u32,
}

fn exponents() -> Exponents {
  switch (DTYPE) {
    case F16: {
      return Exponents(0x7c007c00u, 0x04000400u);
    }
    case BF16: {
      return Exponents(0x7f807f80u, 0x00800080u);
    }
    default: {
      return Exponents(0x7f800000u, 0x00800000u);
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  let exponent = exponents();
  let vectors = select(1u, 2u, DTYPE == F32); // of a unit
  var found = vec4(0u);
  for (
    var i = vectors * first_unit(run) + lane;
    i < vectors * end_unit(run);
    i += WORKGROUP_SIZE
  ) {
    // An exponent of all ones, and no other, carries into the place of the sign. Padding is zero.
    let carried = (values[i] & vec4(exponent.mask)) + vec4(exponent.unit);
    found += countOneBits(carried & ~vec4(exponent.mask));
  }
  let sum = found.x + found.y + found.z + found.w;
  if (sum != 0u) {
    atomicAdd(&counts[run.tensor], sum);
  }
}
