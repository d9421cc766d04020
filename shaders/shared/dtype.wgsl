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

// F16 to float32 bits, but for the sign; `magnitude` holds exponent and fraction where float32 has
// them. Read as a normal number with its exponent moved, y is right unless the half is subnormal.
// Then it is (1 + fraction) 2^-15 instead of fraction 2^-14 = 2 y - 2^-14, and then alone that is
// the smaller. Exact, and every number in it is normal or zero: nothing to flush or to round.
fn widen(magnitude: vec4<u32>) -> vec4<u32> {
  let y = bitcast<vec4<f32>>(magnitude + vec4(0x38000000u));
  let finite = bitcast<vec4<u32>>(min(y, (y + y) - vec4<f32>(0x1p-14)));
  let special = select(vec4(0u), vec4(0x7f800000u), magnitude >= vec4(0x0f800000u));
  return finite | special;
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

// Eight 16-bit elements lie in 16 bytes, element 0 in the low half of x.
fn pack_halves(halves: Octet) -> vec4<u32> {
  let even = vec4(halves.low.xz, halves.high.xz);
  let odd = vec4(halves.low.yw, halves.high.yw);
  return even | (odd << vec4(16u));
}

fn decode_halves(packed: vec4<u32>, dtype: u32) -> Octet {
  var even = packed << vec4(16u);
  var odd = packed & vec4(0xffff0000u);
  if (dtype == F16) {
    let sign = vec4(0x80000000u);
    even = widen((even >> vec4(3u)) & vec4(0x0fffe000u)) | (even & sign);
    odd = widen((odd >> vec4(3u)) & vec4(0x0fffe000u)) | (odd & sign);
  }
  return Octet(vec4(even.x, odd.x, even.y, odd.y), vec4(even.z, odd.z, even.w, odd.w));
}

// Halves in the low bits of a word each. Compilers drop the components that nobody asks for.
fn decode_words(halves: vec4<u32>, dtype: u32) -> vec4<u32> {
  let decoded = decode_halves(halves, dtype);
  return vec4(decoded.low.xz, decoded.high.xz);
}

fn encode_halves(values: Octet, dtype: u32) -> vec4<u32> {
  if (dtype == BF16) {
    return pack_halves(Octet(f32_bits_to_bf16(values.low), f32_bits_to_bf16(values.high)));
  }
  return pack_halves(Octet(f32_bits_to_f16(values.low), f32_bits_to_f16(values.high)));
}

// What f32_bits_to_f16 and back would give, rounded in place: bits below the half's last one go,
// which for its subnormals stands higher up.
fn round_to_f16(bits: vec4<u32>) -> vec4<u32> {
  let magnitude = bits & vec4(0x7fffffffu);
  let last = vec4(126u) - clamp(magnitude >> vec4(23u), vec4(103u), vec4(113u));
  let step = vec4(1u) << last;
  // At exponent 103 the last bit is float32's hidden one, always set, as is the exponent's lowest.
  let odd = (magnitude >> last) & vec4(1u);
  var rounded = (magnitude + (step >> vec4(1u)) - vec4(1u) + odd) & (vec4(0u) - step);
  // Below the smallest subnormal, 2^-24, up to it from above its half.
  let tiny = select(vec4(0u), vec4(0x33800000u), magnitude > vec4(0x33000000u));
  rounded = select(rounded, tiny, magnitude < vec4(0x33800000u));
  rounded = select(rounded, vec4(0x7f800000u), magnitude >= vec4(0x477ff000u));
  rounded = select(rounded, vec4(0x7fc00000u), magnitude > vec4(0x7f800000u));
  return rounded | (bits & vec4(0x80000000u));
}

// Float32 bits of the nearest value of `dtype`.
fn round_bits(bits: vec4<u32>, dtype: u32) -> vec4<u32> {
  if (dtype == F16) {
    return round_to_f16(bits);
  }
  if (dtype == BF16) {
    return f32_bits_to_bf16(bits) << vec4(16u);
  }
  return bits;
}
