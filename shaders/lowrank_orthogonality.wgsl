// max |UᵀU - I| and max |VᵀV - I| of every product, over the triplets whose σ is not 0: from the
// vectors as they are kept, times the root of σ.
//
// One workgroup 16 x 16 pairs of triplets. Flops: 512 a row; bytes: 4 an element read, from cache.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_gram::{gram, LANES, sh_gram};
import package::shared::lowrank_tables::{PANEL, Product, Side};

struct Params {
  first_job: u32,
  job_count: u32,
  first_result: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // side, two panels of triplets
var<storage, read> sides: array<Side>;
var<storage, read> products: array<Product>;
var<storage, read> sigmas: array<f32>;
var<storage, read> balanced: array<vec4<f32>>;
var<storage, read_write> results: array<f32>;

var<workgroup> sh_worst: array<f32, LANES>;

var<private> my_stride: u32;
var<private> my_left: u32;
var<private> my_right: u32;

fn four_columns(start_at: u32) -> mat4x4<f32> {
  return mat4x4(
    balanced[start_at],
    balanced[start_at + my_stride],
    balanced[start_at + 2u * my_stride],
    balanced[start_at + 3u * my_stride],
  );
}

fn left_rows(column: u32, at: u32) -> mat4x4<f32> {
  return four_columns(my_left + column * my_stride + at);
}

fn right_rows(column: u32, at: u32) -> mat4x4<f32> {
  return four_columns(my_right + column * my_stride + at);
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let job = jobs[params.first_job + index];
  let side = sides[job.x];
  let first_sigma = products[job.x / 2u].first_triplet;
  my_stride = side.stride;
  my_left = side.balanced_base + PANEL * job.y * side.stride;
  my_right = side.balanced_base + PANEL * job.z * side.stride;
  let left_width = (min(PANEL, side.triplets - PANEL * job.y) + 3u) & ~3u;
  let right_width = (min(PANEL, side.triplets - PANEL * job.z) + 3u) & ~3u;
  gram(lane, 0u, side.stride, left_width, right_width);
  var worst = 0.0;
  for (var i = lane; i < PANEL * PANEL; i += LANES) {
    let row = PANEL * job.y + i / PANEL;
    let column = PANEL * job.z + i % PANEL;
    if (max(row, column) < side.triplets) {
      let scale = sqrt(sigmas[first_sigma + row]) * sqrt(sigmas[first_sigma + column]);
      let wanted = select(0.0, 1.0, row == column);
      if (scale > 0.0) {
        worst = max(worst, abs(sh_gram[i / 4u][i % 4u] / scale - wanted));
      }
    }
  }
  sh_worst[lane] = worst;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      sh_worst[lane] = max(sh_worst[lane], sh_worst[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    results[params.first_result + index] = sh_worst[0];
  }
}
