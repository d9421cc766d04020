// Kept values as a float dtype stores them: F32, F16 or BF16, rounded to nearest, ties to even. A
// kernel that stores or adds values is linked with this file or with value_i8.wgsl.

import package::shared::dtype::{BF16, F16, f32_bits_to_bf16, f32_bits_to_f16, round_bits};

// Float32 bits of what a loader reads back.
fn loaded_bits(u: vec4<f32>, tensor: u32, dtype: u32) -> vec4<u32> {
  return round_bits(bitcast<vec4<u32>>(u), dtype);
}

// The stored bits, a value in the low bytes of each word.
fn stored_bits(u: vec4<f32>, tensor: u32, dtype: u32) -> vec4<u32> {
  let bits = bitcast<vec4<u32>>(u);
  if (dtype == F16) {
    return f32_bits_to_f16(bits);
  }
  if (dtype == BF16) {
    return f32_bits_to_bf16(bits);
  }
  return bits;
}
