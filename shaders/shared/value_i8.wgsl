// Kept values as I8: q = round(u * inverse), ties to even, value = q * step. Both factors come from
// the CPU, one pair a tensor (src/codecs/i8-values.ts); a step of 0 makes every value 0, also of NaN.
//
// A loader rounds q * step to f32 before it adds it, so no product here may become part of a fused
// multiply-add. Compilers see through bitcasts, not through what they do not know: every float that
// goes into or comes out of a product is xored with a zero from memory.

struct Scale {
  inverse: f32,
  step: f32,
  zero: u32,
  padding: u32,
}

var<storage, read> scales: array<Scale>;

fn quantized(u: vec4<f32>, scale: Scale) -> vec4<i32> {
  let sealed = bitcast<vec4<f32>>(bitcast<vec4<u32>>(u) ^ vec4(scale.zero));
  let rounded = clamp(round(sealed * scale.inverse), vec4(-127.0), vec4(127.0));
  return select(vec4<i32>(rounded), vec4(0), scale.step == 0.0);
}

// By way of integers, so that what rounds to zero is +0, as a loader reads it.
fn loaded_bits(u: vec4<f32>, tensor: u32, dtype: u32) -> vec4<u32> {
  let scale = scales[tensor];
  let value = vec4<f32>(quantized(u, scale)) * scale.step;
  return bitcast<vec4<u32>>(value) ^ vec4(scale.zero);
}

fn stored_bits(u: vec4<f32>, tensor: u32, dtype: u32) -> vec4<u32> {
  return bitcast<vec4<u32>>(quantized(u, scales[tensor])) & vec4(0xffu);
}
