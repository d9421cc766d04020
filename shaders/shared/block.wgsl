// Blocks: runs of at most 16,384 elements of one tensor in one chunk, one workgroup each. They let
// a kernel know the tensor, and the position in it, of every element without searching.
// Written by src/kernels/blocks.ts.

struct Block {
  // First element in the chunk, and how many.
  start: u32,
  count: u32,
  tensor: u32,
  // Of the first element: position in its tensor, and in the flat space.
  tensor_position: u32,
  flat_position: u32,
}

// The units (groups of eight elements, aligned in the chunk) that a block touches.
fn first_unit(run: Block) -> u32 {
  return run.start / 8u;
}

fn end_unit(run: Block) -> u32 {
  return (run.start + run.count + 7u) / 8u;
}

// Chunk positions of the elements of a unit.
fn unit_positions(unit: u32) -> Octet {
  let low = vec4(unit * 8u) + vec4(0u, 1u, 2u, 3u);
  return Octet(low, low + vec4(4u));
}

// Which of these chunk positions belong to the block. The others are a neighbour's, or padding.
fn in_block(run: Block, positions: vec4<u32>) -> vec4<bool> {
  return (positions - vec4(run.start)) < vec4(run.count);
}
