// Task vectors u = theta_t - center of one chunk and their keys. Every kernel that looks at u
// shares these parameters and bindings; u is never stored: reading it again costs the bytes of
// center and task, 4 to 8 an element, and storing it would cost the same and more memory.
//
// In F32 a unit is two vectors side by side, not neighbours of the next lane's: halves of the other
// checkpoint, positions and the order of ties go by unit, and both vectors share a cache line.

import package::shared::block::Block;
import package::shared::dtype::{decode_halves, F32, Octet};

// Dtypes are known when a pipeline is made, so that no branch on them is left.
override CENTER_DTYPE: u32;
override TASK_DTYPE: u32;

struct Params {
  // 0: one scope, the whole flat space. 1: one scope a tensor.
  per_tensor: u32,
  first_block: u32,
  block_count: u32,
}

var<uniform> params: Params;
var<storage, read> center: array<vec4<u32>>;
var<storage, read> task: array<vec4<u32>>;
var<storage, read> blocks: array<Block>;

struct Delta {
  // Float32 bits of the center, u, and the 31 magnitude bits of u.
  center: Octet,
  low: vec4<f32>,
  high: vec4<f32>,
  keys: Octet,
}

fn load_center(unit: u32) -> Octet {
  if (CENTER_DTYPE == F32) {
    return Octet(center[2u * unit], center[2u * unit + 1u]);
  }
  return decode_halves(center[unit], CENTER_DTYPE);
}

fn load_task(unit: u32) -> Octet {
  if (TASK_DTYPE == F32) {
    return Octet(task[2u * unit], task[2u * unit + 1u]);
  }
  return decode_halves(task[unit], TASK_DTYPE);
}

// The key is the bitcast of one subtraction and nothing else, so no compiler may reassociate it.
// Keys order as magnitudes do; NaN lies above infinity. Padding has key 0.
fn load_delta(unit: u32) -> Delta {
  let origin = load_center(unit);
  let to = load_task(unit);
  let low = bitcast<vec4<f32>>(to.low) - bitcast<vec4<f32>>(origin.low);
  let high = bitcast<vec4<f32>>(to.high) - bitcast<vec4<f32>>(origin.high);
  let magnitude = vec4(0x7fffffffu);
  let keys = Octet(bitcast<vec4<u32>>(low) & magnitude, bitcast<vec4<u32>>(high) & magnitude);
  return Delta(origin, low, high, keys);
}

fn scope_of(run: Block) -> u32 {
  return select(0u, run.tensor, params.per_tensor != 0u);
}

// Position of the block's first element in its scope.
fn scope_position(run: Block) -> u32 {
  return select(run.flat_position, run.tensor_position, params.per_tensor != 0u);
}
