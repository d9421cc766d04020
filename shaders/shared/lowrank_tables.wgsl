// Tables of a batch of low-rank products, written by src/kernels/low-rank/low-rank-plan.ts. A product is
// L D Rᵀ; side 2 i is the L of product i, side 2 i + 1 its R. A side's matrix is length x columns,
// columns one after the other, four rows a vector, and is handled in panels of 16 columns. Rows and
// columns of padding, up to multiples of four, are zero.

const PANEL = 16u;
// Vectors a panel takes in `scratch` behind its side's columns: the 16 x 16 block of the triangle
// on the diagonal, row by row, and the inverse of the T of its block reflector.
const BLOCK_VECTORS = 64u;
const TRIANGLE_VECTORS = 128u;
// Of columns that are zero.
const NO_EXPONENT = -100000;

struct Side {
  length: u32,
  // Vectors a column: length / 4, rounded up.
  stride: u32,
  // Columns of all terms together, and what QR makes of them: min(length, columns) reflectors.
  columns: u32,
  reflectors: u32,
  // Singular triplets of the product: the lesser of both sides' reflectors.
  triplets: u32,
  // First vector in `scratch` of the columns, and of the panels' triangles.
  base: u32,
  triangles: u32,
  // First row in `column_table` and `exponents`.
  first_column: u32,
  // First vectors in `small` (singular vectors of the core) and `balanced` (the result).
  small_base: u32,
  balanced_base: u32,
  // First row in `probes`: one a column, then one a triplet.
  first_probe: u32,
}

// A column of a factor as its file holds it: element i lies at offset + i stride.
struct Column {
  offset: u32,
  stride: u32,
  dtype: u32,
  // The term's coefficient is mantissa 2^exponent; on right sides it is 1.
  exponent: i32,
  mantissa: f32,
}

struct Product {
  // First vectors in `cores` of X, whose columns become orthogonal, and of the rotations.
  core_base: u32,
  rotations_base: u32,
  first_triplet: u32,
  padding: u32,
}

// What the kernels find out about a product.
struct Fact {
  // Everything is computed of Δ 2^-exponent; even, so that its root is exact.
  exponent: i32,
  sweeps: u32,
  // 1 while Jacobi has not converged.
  unsettled: u32,
  // Pairs rotated in the sweep at hand.
  rotated: u32,
}

// 2^exponent, without subnormals: 0 below 2^-126.
fn power_of_two(exponent: i32) -> f32 {
  let biased = u32(clamp(exponent + 127, 0, 254));
  return bitcast<f32>(biased << 23u);
}
