// Task vectors u = theta_t - center of one chunk and their keys. Every kernel that looks at u
// shares these parameters and bindings; u is never stored: reading it again costs the bytes of
// center and task, 4 to 8 an element, and storing it would cost the same and more memory.

struct Params {
  center_dtype: u32,
  task_dtype: u32,
  // 0: one scope, the whole flat space. 1: one scope a tensor.
  per_tensor: u32,
  first_block: u32,
  block_count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> center: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> task: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> blocks: array<Block>;

// Key of lanes outside the block: larger than that of any float, NaN included.
const OUTSIDE = 0xffffffffu;

struct Delta {
  // Float32 bits of the center, u, and the 31 magnitude bits of u.
  center: Octet,
  low: vec4<f32>,
  high: vec4<f32>,
  keys: Octet,
}

fn load_center(unit: u32) -> Octet {
  if (params.center_dtype == F32) {
    return Octet(center[2u * unit], center[2u * unit + 1u]);
  }
  return decode_halves(center[unit], params.center_dtype);
}

fn load_task(unit: u32) -> Octet {
  if (params.task_dtype == F32) {
    return Octet(task[2u * unit], task[2u * unit + 1u]);
  }
  return decode_halves(task[unit], params.task_dtype);
}

// The key is the bitcast of one subtraction and nothing else, so no compiler may reassociate it.
// Keys order as magnitudes do; NaN lies above infinity.
fn load_delta(unit: u32, run: Block) -> Delta {
  let origin = load_center(unit);
  let to = load_task(unit);
  let low = bitcast<vec4<f32>>(to.low) - bitcast<vec4<f32>>(origin.low);
  let high = bitcast<vec4<f32>>(to.high) - bitcast<vec4<f32>>(origin.high);
  let positions = unit_positions(unit);
  let low_key = bitcast<vec4<u32>>(low) & vec4(0x7fffffffu);
  let high_key = bitcast<vec4<u32>>(high) & vec4(0x7fffffffu);
  let keys = Octet(
    select(vec4(OUTSIDE), low_key, in_block(run, positions.low)),
    select(vec4(OUTSIDE), high_key, in_block(run, positions.high)),
  );
  return Delta(origin, low, high, keys);
}

fn scope_of(run: Block) -> u32 {
  return select(0u, run.tensor, params.per_tensor != 0u);
}

// Position of the block's first element in its scope.
fn scope_position(run: Block) -> u32 {
  return select(run.flat_position, run.tensor_position, params.per_tensor != 0u);
}
