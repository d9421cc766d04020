// Writes a unit's float32 bits as two vectors. Tensors start at a unit of their chunk and are cut at
// units, so `shift`, in vectors, is whole, and the unit's first element is always one of the block's.

import package::shared::block::Block;
import package::shared::dtype::Octet;

var<storage, read_write> weights: array<vec4<u32>>;

fn store_octet(unit: u32, run: Block, shift: i32, bits: Octet) {
  let vector = u32(i32(2u * unit) + shift);
  weights[vector] = bits.low;
  // A tensor's buffer may end with the first vector.
  if (8u * unit + 4u < run.start + run.count) {
    weights[vector + 1u] = bits.high;
  }
}
