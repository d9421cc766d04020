// Products AᵀB of two panels of 16 columns each over a run of rows, in 16 tiles of 4 x 4 entries;
// PARTS lanes share the rows of a tile. The kernel defines `left_rows` and `right_rows`: four
// columns at four rows, a column of the matrix each.
//
// Flops: 512 a row. Loads: 8 vectors a lane for 64 products.

import kernel::{left_rows, right_rows};

// Software adapters take fewer: there a barrier costs as much as hundreds of loads for every four
// lanes (src/kernels/low-rank/low-rank-wgsl.ts).
override LANES: u32 = 64;
// Lanes a tile.
override PARTS: u32 = LANES / 16;
const TILE = 4u;
// Tiles across a panel.
const TILES = 4u;
const RESULT_VECTORS = 64u;

// Of each lane four rows of its tile; summed over its parts, the rows of the 16 x 16 result.
var<workgroup> sh_parts: array<vec4<f32>, LANES * TILE>;
// The result: row i, columns 4 j to 4 j + 3, at TILES i + j.
var<workgroup> sh_gram: array<vec4<f32>, RESULT_VECTORS>;

// Rows are counted in vectors. Entries of columns at or beyond `left_width`, `right_width`
// (multiples of four) are zero.
// Every invocation must come here, in uniform control flow; sh_gram is ready after it.
fn gram(lane: u32, first: u32, end: u32, left_width: u32, right_width: u32) {
  let tile = lane / PARTS;
  let part = lane % PARTS;
  let left = TILE * (tile / TILES);
  let right = TILE * (tile % TILES);
  var sum_0 = vec4(0.0);
  var sum_1 = vec4(0.0);
  var sum_2 = vec4(0.0);
  var sum_3 = vec4(0.0);
  if (left < left_width && right < right_width) {
    for (var at = first + part; at < end; at += PARTS) {
      let a = left_rows(left, at);
      let b = right_rows(right, at);
      sum_0 += a[0] * b;
      sum_1 += a[1] * b;
      sum_2 += a[2] * b;
      sum_3 += a[3] * b;
    }
  }
  workgroupBarrier();
  sh_parts[TILE * lane] = sum_0;
  sh_parts[TILE * lane + 1u] = sum_1;
  sh_parts[TILE * lane + 2u] = sum_2;
  sh_parts[TILE * lane + 3u] = sum_3;
  workgroupBarrier();
  for (var i = lane; i < RESULT_VECTORS; i += LANES) {
    let from_tile = i / TILE;
    let row = i % TILE;
    var sum = vec4(0.0);
    for (var k = 0u; k < PARTS; k++) {
      sum += sh_parts[TILE * (PARTS * from_tile + k) + row];
    }
    sh_gram[TILES * (TILE * (from_tile / TILES) + row) + from_tile % TILES] = sum;
  }
  workgroupBarrier();
}
