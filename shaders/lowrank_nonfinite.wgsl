// Counts NaN and Inf in all factors of each product, by the exponent bits of the files' own words.
//
// One workgroup a run of words of one factor. Bytes an element: the file's, read once; no atomic
// where all is sound.

import package::shared::dtype::{BF16, F16, F32};
import package::shared::index::{Grid, group_of};

struct Params {
  first_job: u32,
  job_count: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // first word, end, dtype, product
var<storage, read> values: array<u32>;
var<storage, read_write> counts: array<atomic<u32>>;

const LANES = 64u;

fn exponent_mask(dtype: u32) -> u32 {
  switch (dtype) {
    case F16: {
      return 0x7c00u;
    }
    case BF16: {
      return 0x7f80u;
    }
    default: {
      return 0x7f800000u;
    }
  }
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let mask = exponent_mask(job.z);
  let high_mask = select(mask << 16u, mask, job.z == F32);
  var found = 0u;
  for (var at = job.x + lane; at < job.y; at += LANES) {
    let word = values[at];
    found += select(0u, 1u, (word & mask) == mask);
    if (job.z != F32) {
      found += select(0u, 1u, (word & high_mask) == high_mask);
    }
  }
  if (found != 0u) {
    atomicAdd(&counts[job.w], found);
  }
}
