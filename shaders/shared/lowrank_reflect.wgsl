// Applies a block of 16 Householder reflectors, I - V T Vᵀ or its transpose, to a panel of 16
// columns, after `gram` has made W = Vᵀ B. The inverse of T is kept, not T: it is striu(VᵀV) with
// half the diagonal of VᵀV (Puglisi 1992; Joffrain et al. 2006), so T W is a triangular solve, and
// the block is orthogonal to rounding for whatever V holds. A zero on its diagonal: no reflector.
//
// The kernel defines `inverse_t(row, column)`, and by column and vector of rows `reflector` of V,
// `old_value` and `set_value` of B.

import package::shared::lowrank_gram::{LANES, sh_gram, TILE, TILES};
import package::shared::lowrank_tables::PANEL;
import kernel::{inverse_t, old_value, reflector, set_value};

// T W in place of W in sh_gram; with `transposed`, Tᵀ W. Four lanes, four columns each.
fn solve_block(lane: u32, transposed: bool) {
  if (lane < TILES) {
    for (var step = 0u; step < PANEL; step++) {
      let row = select(PANEL - 1u - step, step, transposed);
      let diagonal = inverse_t(row, row);
      var solved = sh_gram[TILES * row + lane];
      for (var done = 0u; done < step; done++) {
        let column = select(PANEL - 1u - done, done, transposed);
        let entry = inverse_t(min(row, column), max(row, column));
        solved -= entry * sh_gram[TILES * column + lane];
      }
      sh_gram[TILES * row + lane] = select(solved / diagonal, vec4(0.0), diagonal == 0.0);
    }
  }
  workgroupBarrier();
}

// B - V M in place of B, M being what `solve_block` left, for the vectors of rows first .. end. A lane
// makes four rows of four columns; of V it reads `depth` columns.
fn subtract_block(lane: u32, first: u32, end: u32, depth: u32, width: u32) {
  let rows = LANES / TILES;
  let quad = lane / rows;
  let column = TILE * quad;
  if (column >= width) {
    return;
  }
  for (var at = first + lane % rows; at < end; at += rows) {
    var sum_0 = vec4(0.0);
    var sum_1 = vec4(0.0);
    var sum_2 = vec4(0.0);
    var sum_3 = vec4(0.0);
    for (var k = 0u; k < depth; k++) {
      let v = reflector(k, at);
      let m = sh_gram[TILES * k + quad];
      sum_0 += v * m.x;
      sum_1 += v * m.y;
      sum_2 += v * m.z;
      sum_3 += v * m.w;
    }
    set_value(column, at, old_value(column, at) - sum_0);
    set_value(column + 1u, at, old_value(column + 1u, at) - sum_1);
    set_value(column + 2u, at, old_value(column + 2u, at) - sum_2);
    set_value(column + 3u, at, old_value(column + 3u, at) - sum_3);
  }
}
