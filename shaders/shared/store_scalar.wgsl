// Writes a unit's float32 bits one by one, for blocks that lie askew. Linked instead of
// store_vector.wgsl: WGSL lets two invocations write parts of one vector only as scalars.

@group(0) @binding(5) var<storage, read_write> weights: array<u32>;

fn store_octet(unit: u32, run: Block, shift: i32, bits: Octet) {
  let end = run.start + run.count;
  for (var i = 0u; i < 8u; i++) {
    let position = unit * 8u + i;
    if (position >= run.start && position < end) {
      let high = bits.high[i & 3u];
      let low = bits.low[i & 3u];
      weights[u32(i32(position) + shift)] = select(low, high, i >= 4u);
    }
  }
}
