// Singular values of every core, sorted downwards, and its singular vectors in that order, each
// times the root of its singular value: X holds u σ, the rotations hold v. Of equal ones the first
// column comes first. Columns of zeros give zeros.
//
// One workgroup a core, a lane a column. Flops: 2 an entry of X and 1 an entry of both written.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{Product, Side};

struct Params {
  job_count: u32,
  // Where singular values still in their columns' order lie.
  unsorted: u32,
}

var<uniform> params: Params;
var<storage, read> sides: array<Side>;
var<storage, read> products: array<Product>;
var<storage, read> cores: array<vec4<f32>>;
var<storage, read_write> sigmas: array<f32>;
var<storage, read_write> small: array<vec4<f32>>;

const LANES = 64u;
// The root of ZERO_SQUARED (jacobi_sweep.wgsl).
const ZERO = 0x1p-50;

fn norm_of(start_at: u32, count: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < count; i++) {
    let value = cores[start_at + i];
    sum += dot(value, value);
  }
  let norm = sqrt(sum);
  return select(norm, 0.0, norm < ZERO);
}

fn write_column(to: u32, start_at: u32, count: u32, scale: f32) {
  for (var i = 0u; i < count; i++) {
    small[to + i] = scale * cores[start_at + i];
  }
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let product = products[index];
  let left = sides[2u * index];
  let right = sides[2u * index + 1u];
  let columns = left.triplets;
  // X is the core or its transpose: its columns belong to the side with more rows.
  let tall = left.reflectors >= right.reflectors;
  // Vectors a column of X, and of the rotations.
  let rows = (max(left.reflectors, right.reflectors) + 3u) / 4u;
  let height = (columns + 3u) / 4u;
  let core_small = select(right.small_base, left.small_base, tall);
  let rotation_small = select(left.small_base, right.small_base, tall);
  let unsorted = params.unsorted + product.first_triplet;
  for (var j = lane; j < columns; j += LANES) {
    sigmas[unsorted + j] = norm_of(product.core_base + j * rows, rows);
  }
  storageBarrier();
  workgroupBarrier();
  for (var j = lane; j < columns; j += LANES) {
    let sigma = sigmas[unsorted + j];
    var rank = 0u;
    for (var i = 0u; i < columns; i++) {
      let other = sigmas[unsorted + i];
      if (other > sigma || (other == sigma && i < j)) {
        rank++;
      }
    }
    sigmas[product.first_triplet + rank] = sigma;
    let root = sqrt(sigma);
    let over_root = select(1.0 / root, 0.0, sigma == 0.0);
    write_column(core_small + rank * rows, product.core_base + j * rows, rows, over_root);
    let rotation = product.rotations_base + j * height;
    write_column(rotation_small + rank * height, rotation, height, root);
  }
  // Padding to whole vectors of four columns.
  for (var j = columns + lane; j < ((columns + 3u) & ~3u); j += LANES) {
    write_column(core_small + j * rows, product.core_base, rows, 0.0);
    write_column(rotation_small + j * height, product.rotations_base, height, 0.0);
  }
}
