// Values as they lie in files: F32, F16 and BF16, eight at a time, to and from float32 bits.
// By bits, but for one exact f32 subtraction: WGSL may flush subnormals and may assume that NaN and
// Inf do not occur, and F16 subnormals are common in task vectors. Twin: src/tensor/half.ts.

const F32 = 0u;
const F16 = 1u;
const BF16 = 2u;

// Eight consecutive elements, as float32 bits (or one number each).
struct Octet {
  low: vec4<u32>,
  high: vec4<u32>,
}

fn f16_to_f32_bits(half: vec4<u32>) -> vec4<u32> {
  let sign = (half & vec4(0x8000u)) << vec4(16u);
  let magnitude = half & vec4(0x7fffu);
  let normal = (magnitude << vec4(13u)) + vec4(0x38000000u);
  let special = (magnitude << vec4(13u)) + vec4(0x70000000u);
  // Subnormal: (1 + fraction / 1024) 2^-14 - 2^-14. Exact, and every number in it is normal or zero,
  // so there is nothing to flush or to round.
  let shifted = bitcast<vec4<f32>>(normal + vec4(0x00800000u));
  let subnormal = bitcast<vec4<u32>>(shifted - vec4<f32>(0x1p-14));
  var bits = select(normal, special, magnitude >= vec4(0x7c00u));
  bits = select(bits, subnormal, magnitude < vec4(0x0400u));
  return sign | bits;
}

// Nearest, ties to even; 65520 and above becomes infinity, NaN the quiet NaN.
fn f32_bits_to_f16(bits: vec4<u32>) -> vec4<u32> {
  let sign = (bits >> vec4(16u)) & vec4(0x8000u);
  let magnitude = bits & vec4(0x7fffffffu);
  let odd = (magnitude >> vec4(13u)) & vec4(1u);
  let normal = (magnitude + vec4(0xfffu) + odd - vec4(0x38000000u)) >> vec4(13u);
  // Subnormal: fraction x 2^(exponent - 150) in steps of 2^-24; a shift of 25 leaves nothing.
  let exponent = min(magnitude >> vec4(23u), vec4(112u));
  let shift = min(vec4(126u) - exponent, vec4(25u));
  let fraction = (magnitude & vec4(0x7fffffu)) | vec4(0x800000u);
  let below_half = (vec4(1u) << (shift - vec4(1u))) - vec4(1u);
  let subnormal = (fraction + below_half + ((fraction >> shift) & vec4(1u))) >> shift;
  var half = select(subnormal, normal, magnitude >= vec4(0x38800000u));
  half = select(half, vec4(0x7c00u), magnitude >= vec4(0x477ff000u));
  half = select(half, vec4(0x7e00u), magnitude > vec4(0x7f800000u));
  return sign | half;
}

fn f32_bits_to_bf16(bits: vec4<u32>) -> vec4<u32> {
  let rounded = (bits + vec4(0x7fffu) + ((bits >> vec4(16u)) & vec4(1u))) >> vec4(16u);
  let quiet = (bits >> vec4(16u)) | vec4(0x40u);
  return select(rounded, quiet, (bits & vec4(0x7fffffffu)) > vec4(0x7f800000u));
}

// Eight 16-bit elements in one word of 16 bytes, element 0 in the low half of x.
fn unpack_halves(packed: vec4<u32>) -> Octet {
  let even = packed & vec4(0xffffu);
  let odd = packed >> vec4(16u);
  return Octet(vec4(even.x, odd.x, even.y, odd.y), vec4(even.z, odd.z, even.w, odd.w));
}

fn pack_halves(halves: Octet) -> vec4<u32> {
  let even = vec4(halves.low.xz, halves.high.xz);
  let odd = vec4(halves.low.yw, halves.high.yw);
  return even | (odd << vec4(16u));
}

fn decode_halves(packed: vec4<u32>, dtype: u32) -> Octet {
  let halves = unpack_halves(packed);
  if (dtype == BF16) {
    return Octet(halves.low << vec4(16u), halves.high << vec4(16u));
  }
  return Octet(f16_to_f32_bits(halves.low), f16_to_f32_bits(halves.high));
}

fn encode_halves(values: Octet, dtype: u32) -> vec4<u32> {
  if (dtype == BF16) {
    return pack_halves(Octet(f32_bits_to_bf16(values.low), f32_bits_to_bf16(values.high)));
  }
  return pack_halves(Octet(f32_bits_to_f16(values.low), f32_bits_to_f16(values.high)));
}

// Float32 bits of the nearest value of `dtype`.
fn round_bits(bits: vec4<u32>, dtype: u32) -> vec4<u32> {
  if (dtype == F16) {
    return f16_to_f32_bits(f32_bits_to_f16(bits));
  }
  if (dtype == BF16) {
    return f32_bits_to_bf16(bits) << vec4(16u);
  }
  return bits;
}
