// theta* = theta_0 + sum_t c_t (theta_t - theta_0), summed in f32 in task order, rounded once
// (nearest, ties to even) to the dtype of theta*. NaN and Inf pass through.
// Task arithmetic: Ilharco et al. 2023, arXiv 2212.04089.
//
// One pass. An invocation makes one unit of eight elements, padding included, which stays zero. Bytes
// an element for T tasks in halves: 2 T + 2 read (base in halves), 2 written; in F32 twice that.
// About 14 T + 40 operations in F16, 3 T + 1 in F32.

import package::shared::dtype::{decode_halves, encode_halves, F32, Octet};
import package::shared::index::{Grid, group_of, WORKGROUP_SIZE};

// Dtypes are known when a pipeline is made, so that no branch on them is left; where tasks differ,
// TASK_DTYPE is MIXED and their rows tell.
override BASE_DTYPE: u32;
override TASK_DTYPE: u32;
override MERGED_DTYPE: u32;
const MIXED = 3u;

struct Params {
  unit_count: u32,
  task_count: u32,
}

struct TaskRow {
  // Where the task's run starts in the arena, in vec4<u32>.
  offset: u32,
  dtype: u32,
  coefficient: f32,
  padding: u32,
}

var<uniform> params: Params;
var<storage, read> rows: array<TaskRow>;
var<storage, read> base: array<vec4<u32>>;
var<storage, read> tasks: array<vec4<u32>>;
var<storage, read_write> merged: array<vec4<u32>>;

override ALL_F32: bool = BASE_DTYPE == F32 && TASK_DTYPE == F32 && MERGED_DTYPE == F32;

// Where the two vectors of a unit lie in F32. Where nothing is in halves, any two will do: then
// neighbouring invocations take neighbouring vectors.
struct Vectors {
  low: u32,
  high: u32,
}

fn vectors_of(group: u32, lane: u32) -> Vectors {
  let first = group * WORKGROUP_SIZE;
  if (ALL_F32) {
    let units = min(params.unit_count - first, WORKGROUP_SIZE);
    let low = 2u * first + lane;
    return Vectors(low, low + units);
  }
  let low = 2u * (first + lane);
  return Vectors(low, low + 1u);
}

fn load_base(unit: u32, at: Vectors) -> Octet {
  if (BASE_DTYPE == F32) {
    return Octet(base[at.low], base[at.high]);
  }
  return decode_halves(base[unit], BASE_DTYPE);
}

fn load_task(t: u32, unit: u32, at: Vectors) -> Octet {
  let offset = rows[t].offset;
  var dtype = TASK_DTYPE;
  if (TASK_DTYPE == MIXED) {
    dtype = rows[t].dtype;
  }
  if (dtype == F32) {
    return Octet(tasks[offset + at.low], tasks[offset + at.high]);
  }
  return decode_halves(tasks[offset + unit], dtype);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let group = group_of(grid);
  let unit = group * WORKGROUP_SIZE + lane;
  if (unit >= params.unit_count) {
    return;
  }
  let at = vectors_of(group, lane);
  let origin = load_base(unit, at);
  let base_low = bitcast<vec4<f32>>(origin.low);
  let base_high = bitcast<vec4<f32>>(origin.high);
  var sum_low = vec4<f32>(0.0);
  var sum_high = vec4<f32>(0.0);
  for (var t = 0u; t < params.task_count; t++) {
    let to = load_task(t, unit, at);
    let coefficient = rows[t].coefficient;
    sum_low += coefficient * (bitcast<vec4<f32>>(to.low) - base_low);
    sum_high += coefficient * (bitcast<vec4<f32>>(to.high) - base_high);
  }
  let low = bitcast<vec4<u32>>(base_low + sum_low);
  let high = bitcast<vec4<u32>>(base_high + sum_high);
  if (MERGED_DTYPE == F32) {
    merged[at.low] = low;
    merged[at.high] = high;
  } else {
    merged[unit] = encode_halves(Octet(low, high), MERGED_DTYPE);
  }
}
