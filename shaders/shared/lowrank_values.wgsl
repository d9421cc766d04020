// Elements of a factor as its file holds them, as float32 bits. `values` is bound by the kernel.

fn value_bits(column: Column, row: u32) -> u32 {
  let at = column.offset + row * column.stride;
  if (column.dtype == F32) {
    return values[at];
  }
  let half = (values[at / 2u] >> (16u * (at & 1u))) & 0xffffu;
  if (column.dtype == BF16) {
    return half << 16u;
  }
  // F16: the exponent is moved; subnormals are (1 + fraction) 2^-14 - 2^-14, where every number is
  // normal or zero, so that there is nothing to flush or to round.
  let sign = (half & 0x8000u) << 16u;
  let magnitude = (half & 0x7fffu) << 13u;
  if (magnitude >= 0x0f800000u) {
    return sign | (magnitude + 0x70000000u);
  }
  if (magnitude < 0x00800000u) {
    return sign | bitcast<u32>(bitcast<f32>(magnitude + 0x38800000u) - 0x1p-14);
  }
  return sign | (magnitude + 0x38000000u);
}

// Zero beyond the last row.
fn four_rows(column: Column, row: u32, length: u32) -> vec4<u32> {
  let rows = vec4(row) + vec4(0u, 1u, 2u, 3u);
  let inside = min(rows, vec4(length - 1u));
  let bits = vec4(
    value_bits(column, inside.x),
    value_bits(column, inside.y),
    value_bits(column, inside.z),
    value_bits(column, inside.w),
  );
  return select(vec4(0u), bits, rows < vec4(length));
}
