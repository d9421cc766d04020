// theta* = theta_0 + sum_t c_t (theta_t - theta_0), summed in f32 in task order, rounded once
// (nearest, ties to even) to the dtype of theta*. NaN and Inf pass through.
// Task arithmetic: Ilharco et al. 2023, arXiv 2212.04089.
//
// An invocation makes one unit of eight elements. Bytes an element for T tasks in halves:
// 2 T + 2 read (base in halves), 2 written; in F32 twice that. 3 T + 1 flops.

struct Params {
  unit_count: u32,
  task_count: u32,
  base_dtype: u32,
  merged_dtype: u32,
}

struct TaskRow {
  // Where the task's run starts in the arena, in vec4<u32>.
  offset: u32,
  dtype: u32,
  coefficient: f32,
  padding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<TaskRow>;
@group(0) @binding(2) var<storage, read> base: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> tasks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> merged: array<vec4<u32>>;

fn load_base(unit: u32) -> Octet {
  if (params.base_dtype == F32) {
    return Octet(base[2u * unit], base[2u * unit + 1u]);
  }
  return decode_halves(base[unit], params.base_dtype);
}

fn load_task(row: TaskRow, unit: u32) -> Octet {
  if (row.dtype == F32) {
    let at = row.offset + 2u * unit;
    return Octet(tasks[at], tasks[at + 1u]);
  }
  return decode_halves(tasks[row.offset + unit], row.dtype);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let unit = group_index(group, groups) * WORKGROUP_SIZE + lane;
  if (unit >= params.unit_count) {
    return;
  }
  let origin = load_base(unit);
  let base_low = bitcast<vec4<f32>>(origin.low);
  let base_high = bitcast<vec4<f32>>(origin.high);
  var sum_low = vec4<f32>(0.0);
  var sum_high = vec4<f32>(0.0);
  for (var t = 0u; t < params.task_count; t++) {
    let row = rows[t];
    let to = load_task(row, unit);
    sum_low += row.coefficient * (bitcast<vec4<f32>>(to.low) - base_low);
    sum_high += row.coefficient * (bitcast<vec4<f32>>(to.high) - base_high);
  }
  let low = bitcast<vec4<u32>>(base_low + sum_low);
  let high = bitcast<vec4<u32>>(base_high + sum_high);
  if (params.merged_dtype == F32) {
    merged[2u * unit] = low;
    merged[2u * unit + 1u] = high;
  } else {
    merged[unit] = encode_halves(Octet(low, high), params.merged_dtype);
  }
}
