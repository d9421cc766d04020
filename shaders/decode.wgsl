// A checkpoint's weights as float32, bit for bit.
//
// One workgroup a block. Bytes an element: 2 (halves) or 4 read, 4 written.

struct Params {
  dtype: u32,
  first_block: u32,
  block_count: u32,
  // Added to a chunk position gives the position in `weights`.
  shift: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> blocks: array<Block>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group_index(group, groups);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += WORKGROUP_SIZE) {
    var bits: Octet;
    if (params.dtype == F32) {
      bits = Octet(values[2u * unit], values[2u * unit + 1u]);
    } else {
      bits = decode_halves(values[unit], params.dtype);
    }
    store_octet(unit, run, params.shift, bits);
  }
}
