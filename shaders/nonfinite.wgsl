// Counts NaN and Inf a tensor, by the exponent bits of the file's own words: f32 arithmetic may
// assume that neither occurs.
//
// One workgroup a block. Bytes an element: 2 (halves) or 4 read; no atomic in a sound checkpoint.

struct Params {
  dtype: u32,
  first_block: u32,
  block_count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> blocks: array<Block>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

fn load_words(unit: u32) -> Octet {
  if (params.dtype == F32) {
    return Octet(values[2u * unit], values[2u * unit + 1u]);
  }
  return unpack_halves(values[unit]);
}

fn exponent_mask() -> u32 {
  switch (params.dtype) {
    case F16: {
      return 0x7c00u;
    }
    case BF16: {
      return 0x7f80u;
    }
    default: {
      return 0x7f800000u;
    }
  }
}

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
  let mask = vec4(exponent_mask());
  var found = vec4(0u);
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += WORKGROUP_SIZE) {
    let words = load_words(unit);
    let positions = unit_positions(unit);
    let low = ((words.low & mask) == mask) & in_block(run, positions.low);
    let high = ((words.high & mask) == mask) & in_block(run, positions.high);
    found += vec4<u32>(low) + vec4<u32>(high);
  }
  let sum = found.x + found.y + found.z + found.w;
  if (sum != 0u) {
    atomicAdd(&counts[run.tensor], sum);
  }
}
