// Writes a unit's float32 bits as two vectors. For blocks that start at a multiple of four elements
// of the chunk and end at one, or at the end of their tensor, where the buffer is padded, and whose
// `shift` is a multiple of four. Linked instead of store_scalar.wgsl.

@group(0) @binding(5) var<storage, read_write> weights: array<vec4<u32>>;

fn store_octet(unit: u32, run: Block, shift: i32, bits: Octet) {
  let first = unit * 8u;
  let end = run.start + run.count;
  let at = u32(i32(first) + shift) / 4u;
  if (first >= run.start && first < end) {
    weights[at] = bits.low;
  }
  if (first + 4u >= run.start && first + 4u < end) {
    // Not at + 1: the block may start with this half, where `at` lies before the buffer.
    weights[u32(i32(first + 4u) + shift) / 4u] = bits.high;
  }
}
