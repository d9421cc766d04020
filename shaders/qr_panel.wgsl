// Householder QR of one panel of 16 columns of every side (Golub and Van Loan, algorithm 5.2.1),
// with the inverse of the T of its compact WY form (shared/lowrank_reflect.wgsl). One pass over
// the rows applies a reflector and already sums the dot products of the next: with v = x - α e,
// vᵀa = xᵀa - α a_first.
//
// Householder and not Gram-Schmidt: zero and dependent columns need no guard, and Q is orthogonal
// to rounding whatever the condition. Left in `scratch`: V, zero above its diagonal; rows above
// the panel are those of R; the triangle on the diagonal and the inverse of T behind the columns.
//
// One workgroup a side. Flops: 2 · 16² a row for a full panel, and 16² + 16 for VᵀV; bytes: 4 read
// and written 10 times an element on average, from cache.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_gram::{
  gram, LANES, PARTS, RESULT_VECTORS, sh_gram, sh_parts, TILES,
};
import package::shared::lowrank_tables::{BLOCK_VECTORS, PANEL, Side, TRIANGLE_VECTORS};

struct Params {
  side_count: u32,
  panel: u32,
}

var<uniform> params: Params;
var<storage, read> sides: array<Side>;
var<storage, read_write> scratch: array<vec4<f32>>;

// What a reflector subtracts from each column: vᵀa / (vᵀv / 2). Zero for columns already done.
var<workgroup> sh_weights: array<f32, PANEL>;
// A row of R.
var<workgroup> sh_row: array<f32, PANEL>;

var<private> my_base: u32;
var<private> my_stride: u32;

// First vector of a column of the panel.
fn start_of(column: u32) -> u32 {
  return my_base + column * my_stride;
}

fn left_rows(column: u32, at: u32) -> mat4x4<f32> {
  let start_at = start_of(column) + at;
  return mat4x4(
    scratch[start_at],
    scratch[start_at + my_stride],
    scratch[start_at + 2u * my_stride],
    scratch[start_at + 3u * my_stride],
  );
}

fn right_rows(column: u32, at: u32) -> mat4x4<f32> {
  return left_rows(column, at);
}

fn weights_of(quad: u32) -> vec4<f32> {
  let start_at = 4u * quad;
  return vec4(
    sh_weights[start_at],
    sh_weights[start_at + 1u],
    sh_weights[start_at + 2u],
    sh_weights[start_at + 3u],
  );
}

// Applies a reflector to four rows of four columns; returns their dot products with `lead`.
fn reflect_quad(
  quad: u32,
  at: u32,
  v: vec4<f32>,
  weights: vec4<f32>,
  lead: vec4<f32>,
) -> vec4<f32> {
  let start_at = start_of(4u * quad) + at;
  let x_0 = scratch[start_at] - v * weights.x;
  let x_1 = scratch[start_at + my_stride] - v * weights.y;
  let x_2 = scratch[start_at + 2u * my_stride] - v * weights.z;
  let x_3 = scratch[start_at + 3u * my_stride] - v * weights.w;
  scratch[start_at] = x_0;
  scratch[start_at + my_stride] = x_1;
  scratch[start_at + 2u * my_stride] = x_2;
  scratch[start_at + 3u * my_stride] = x_3;
  return vec4(dot(lead, x_0), dot(lead, x_1), dot(lead, x_2), dot(lead, x_3));
}

// Applies the reflector before `column` to the rows from `row` on and sums the dot products of
// `column` with those right of it. Rows of the panel above are zero in all of its columns but V.
fn reflect_and_sum(lane: u32, column: u32, row: u32, quads: u32) {
  var sums_0 = vec4(0.0);
  var sums_1 = vec4(0.0);
  var sums_2 = vec4(0.0);
  var sums_3 = vec4(0.0);
  let quad = column / 4u;
  let weight = sh_weights[column];
  let weights_0 = weights_of(0u);
  let weights_1 = weights_of(1u);
  let weights_2 = weights_of(2u);
  let weights_3 = weights_of(3u);
  let above = vec4(0u, 1u, 2u, 3u) < vec4(row % 4u);
  for (var at = row / 4u + lane; at < my_stride; at += LANES) {
    var v = vec4(0.0);
    if (column > 0u) {
      v = scratch[start_of(column - 1u) + at];
      v = select(v, vec4(0.0), above & vec4(at == row / 4u));
    }
    let lead = scratch[start_of(column) + at] - v * weight;
    if (quad == 0u) {
      sums_0 += reflect_quad(0u, at, v, weights_0, lead);
    }
    if (quad <= 1u && quads > 1u) {
      sums_1 += reflect_quad(1u, at, v, weights_1, lead);
    }
    if (quad <= 2u && quads > 2u) {
      sums_2 += reflect_quad(2u, at, v, weights_2, lead);
    }
    if (quads > 3u) {
      sums_3 += reflect_quad(3u, at, v, weights_3, lead);
    }
  }
  sh_parts[lane] = sums_0;
  sh_parts[LANES + lane] = sums_1;
  sh_parts[2u * LANES + lane] = sums_2;
  sh_parts[3u * LANES + lane] = sums_3;
}

// Sums sh_parts over the lanes down to 16 parts a quad, in sh_gram.
fn fold_sums(lane: u32) {
  for (var i = lane; i < RESULT_VECTORS; i += LANES) {
    var sum = vec4(0.0);
    for (var k = 0u; k < PARTS; k++) {
      sum += sh_parts[(i / PANEL) * LANES + k * PANEL + i % PANEL];
    }
    sh_gram[i] = sum;
  }
}

fn folded_sum(column: u32) -> f32 {
  var sum = vec4(0.0);
  for (var i = 0u; i < PANEL; i++) {
    sum += sh_gram[(column / 4u) * PANEL + i];
  }
  return sum[column % 4u];
}

// Makes the reflector of `column` and its row of R; a lane a column of the panel.
fn make_reflector(lane: u32, column: u32, row: u32, width: u32) {
  if (lane >= PANEL) {
    return;
  }
  let squared = folded_sum(column);
  let norm = sqrt(squared);
  let x = scratch[start_of(column) + row / 4u][row % 4u];
  let alpha = select(norm, -norm, x >= 0.0);
  let half_vv = squared + abs(x) * norm;
  var weight = 0.0;
  var entry = 0.0;
  if (lane > column && lane < width) {
    let at = start_of(lane) + row / 4u;
    var a = scratch[at];
    weight = select((folded_sum(lane) - alpha * a[row % 4u]) / half_vv, 0.0, half_vv == 0.0);
    entry = a[row % 4u] - (x - alpha) * weight;
    a[row % 4u] = 0.0;
    scratch[at] = a;
  }
  sh_weights[lane] = weight;
  sh_row[lane] = select(entry, alpha, lane == column);
}

// Writes the row of R, and v's first entry in place of x.
fn store_reflector(lane: u32, column: u32, row: u32, triangle: u32) {
  if (lane < TILES) {
    let start_at = 4u * lane;
    scratch[triangle + TILES * column + lane] = vec4(
      sh_row[start_at],
      sh_row[start_at + 1u],
      sh_row[start_at + 2u],
      sh_row[start_at + 3u],
    );
  }
  if (lane == 0u) {
    let at = start_of(column) + row / 4u;
    var x = scratch[at];
    x[row % 4u] -= sh_row[column];
    scratch[at] = x;
  }
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.side_count) {
    return;
  }
  let side = sides[index];
  let first = PANEL * params.panel;
  if (first >= side.reflectors) {
    return;
  }
  my_stride = side.stride;
  my_base = side.base + first * side.stride;
  let columns = min(PANEL, side.columns - first);
  let width = (columns + 3u) & ~3u;
  let steps = min(columns, side.length - first);
  let triangle = side.triangles + params.panel * TRIANGLE_VECTORS;
  for (var column = 0u; column < steps; column++) {
    let row = first + column;
    reflect_and_sum(lane, column, row, width / 4u);
    storageBarrier();
    workgroupBarrier();
    fold_sums(lane);
    workgroupBarrier();
    make_reflector(lane, column, row, width);
    storageBarrier();
    workgroupBarrier();
    // No lane reads x or these rows of R before `gram`.
    store_reflector(lane, column, row, triangle);
  }
  storageBarrier();
  gram(lane, first / 4u, side.stride, width, width);
  for (var i = lane; i < RESULT_VECTORS; i += LANES) {
    let row = i / TILES;
    let column = vec4(4u * (i % TILES)) + vec4(0u, 1u, 2u, 3u);
    let dots = sh_gram[i];
    let on_diagonal = select(vec4(0.0), 0.5 * dots, (column == vec4(row)) & vec4(row < steps));
    scratch[triangle + BLOCK_VECTORS + i] = select(on_diagonal, dots, column > vec4(row));
  }
}
