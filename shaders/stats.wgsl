// Per block: entries kept, those of them that are not zero, the energy (sum of squares) of the
// kept and of all u. Each invocation sums its units in order, then a tree: a fixed order.
// Blocks are summed in float64 by src/kernels/stats.ts.
//
// One workgroup a block. Bytes an element: center and task read, 4 (halves) to 8; 4 flops.

struct BlockStats {
  kept: u32,
  non_zero: u32,
  kept_energy: f32,
  total_energy: f32,
}

@group(0) @binding(5) var<storage, read_write> block_stats: array<BlockStats>;

const LANES = 64u;

// Half a workgroup's worth is all that a tree needs.
var<workgroup> sh_sums: array<vec4<f32>, LANES / 2u>;

fn ones(flags: vec4<bool>) -> u32 {
  let bits = vec4<u32>(flags);
  return bits.x + bits.y + bits.z + bits.w;
}

@compute @workgroup_size(64)
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
  let state = states[scope_of(run)];
  var count = vec2(0u);
  var energy = vec2(0.0);
  for (var unit = first_unit(run) + lane; unit < end_unit(run); unit += LANES) {
    let delta = load_delta(unit, run);
    let positions = unit_positions(unit);
    let kept_low = kept(state, run, delta.keys.low, positions.low);
    let kept_high = kept(state, run, delta.keys.high, positions.high);
    let zero = vec4(0u);
    count.x += ones(kept_low) + ones(kept_high);
    count.y += ones(kept_low & (delta.keys.low != zero)) + ones(kept_high & (delta.keys.high != zero));
    let low = select(vec4(0.0), delta.low, in_block(run, positions.low));
    let high = select(vec4(0.0), delta.high, in_block(run, positions.high));
    let kept_low_values = select(vec4(0.0), low, kept_low);
    let kept_high_values = select(vec4(0.0), high, kept_high);
    energy.x += dot(kept_low_values, kept_low_values) + dot(kept_high_values, kept_high_values);
    energy.y += dot(low, low) + dot(high, high);
  }
  // Counts of a block are below 2^24, so float32 adds them exactly.
  var sums = vec4(vec2<f32>(count), energy);
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (lane >= half && lane < 2u * half) {
      sh_sums[lane - half] = sums;
    }
    workgroupBarrier();
    if (lane < half) {
      sums += sh_sums[lane];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    block_stats[params.first_block + index] =
      BlockStats(u32(sums.x), u32(sums.y), sums.z, sums.w);
  }
}
