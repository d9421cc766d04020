// Blocks: runs of at most 16,384 elements of one tensor in one chunk. They let a kernel know the
// tensor, and the position in it, of every element without searching.
// Written by src/kernels/weights/blocks.ts.
//
// Every tensor's part of a chunk starts at a unit and is padded with zeros to whole units
// (src/kernels/weights/chunk-map.ts). So no unit holds elements of two tensors, and padding has u = 0, key
// 0: kernels that pass over zeros need not look for it.

import package::shared::dtype::Octet;
import package::shared::index::WORKGROUP_SIZE;

struct Block {
  // First element in the chunk's buffers, a multiple of eight, and how many.
  start: u32,
  count: u32,
  tensor: u32,
  // Of the first element: position in its tensor, and in the flat space.
  tensor_position: u32,
  flat_position: u32,
}

// Workgroups a block where each invocation handles one unit.
const BLOCK_PARTS = 8u;

// The block's units (groups of eight elements).
fn first_unit(run: Block) -> u32 {
  return run.start / 8u;
}

fn end_unit(run: Block) -> u32 {
  return (run.start + run.count + 7u) / 8u;
}

// The unit of an invocation where a workgroup handles one part of a block; may lie after its end.
fn unit_of_part(run: Block, part: u32, lane: u32) -> u32 {
  return first_unit(run) + part * WORKGROUP_SIZE + lane;
}

// Positions in the chunk of the elements of a unit.
fn unit_positions(unit: u32) -> Octet {
  let low = vec4(unit * 8u) + vec4(0u, 1u, 2u, 3u);
  return Octet(low, low + vec4(4u));
}

// Elements of padding in the block.
fn padding(run: Block) -> u32 {
  return (8u - run.count % 8u) % 8u;
}
