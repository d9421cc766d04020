/**
 * The two 16-bit float formats, by integer arithmetic alone: exact on every machine, subnormals
 * included. F16 is IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits); BF16 is the upper half
 * of a float32. Encoding rounds to nearest, ties to even, from float32.
 */
import { bytesPerElement, type FloatDtype } from './dtype';

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** Smallest float32 magnitude that rounds to F16 infinity: 65520, halfway to 2^16. */
const F16_OVERFLOW = 0x477f_f000;
/** 2^-14, the smallest normal F16, as float32 bits. */
const F16_NORMAL = 0x3880_0000;
const F32_INFINITY = 0x7f80_0000;

/** Bits of a float32 holding the F16 with bits `half` exactly. NaN payloads are kept. */
export function f16ToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return (sign | F32_INFINITY | ((magnitude & 0x3ff) << 13)) >>> 0;
  if (magnitude >= 0x0400) return (sign | ((magnitude << 13) + 0x3800_0000)) >>> 0;
  if (magnitude === 0) return sign >>> 0;
  // Subnormal: value = magnitude x 2^-24; move its leading one up to the implicit bit 10.
  const shift = Math.clz32(magnitude) - 21;
  return (sign | ((113 - shift) << 23) | (((magnitude << shift) & 0x3ff) << 13)) >>> 0;
}

/** F16 bits nearest to the float32 with bits `bits`, ties to even; overflow gives infinity. */
export function f32BitsToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > F32_INFINITY) return sign | 0x7e00;
  if (magnitude >= F16_OVERFLOW) return sign | 0x7c00;
  if (magnitude >= F16_NORMAL) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x3800_0000) >>> 13);
  }
  // Subnormal: fraction x 2^(e - 150) in steps of 2^-24. A shift of 25 rounds anything to zero.
  const shift = Math.min(25, 126 - (magnitude >>> 23));
  const fraction = (magnitude & 0x7f_ffff) | 0x80_0000;
  const half = (1 << (shift - 1)) - 1;
  return sign | ((fraction + half + ((fraction >>> shift) & 1)) >>> shift);
}

/** Bits of the float32 holding the BF16 with bits `half` exactly. */
export function bf16ToF32Bits(half: number): number {
  return (half << 16) >>> 0;
}

/** BF16 bits nearest to the float32 with bits `bits`, ties to even; NaN stays NaN. */
export function f32BitsToBf16(bits: number): number {
  if ((bits & 0x7fff_ffff) > F32_INFINITY) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Nearest value of `dtype` to the float32 nearest to `value`, as a number. */
export function roundToDtype(value: number, dtype: FloatDtype): number {
  float[0] = value;
  if (dtype === 'F16') word[0] = f16ToF32Bits(f32BitsToF16(word[0]!));
  else if (dtype === 'BF16') word[0] = bf16ToF32Bits(f32BitsToBf16(word[0]!));
  return float[0];
}

let f16Table: Uint32Array | null = null;

/** Float32 bits of all 65,536 F16 values; made on first use (256 KiB). */
function f16Bits(): Uint32Array {
  f16Table ??= Uint32Array.from({ length: 65_536 }, (_, half) => f16ToF32Bits(half));
  return f16Table;
}

/**
 * Decodes little-endian values as they lie in a safetensors file.
 *
 * @param bytes a whole number of elements of `dtype`; any alignment
 * @returns one float32 an element, bit for bit what the file holds
 */
export function decodeFloats(bytes: Uint8Array, dtype: FloatDtype): Float32Array<ArrayBuffer> {
  const count = bytes.byteLength / bytesPerElement(dtype);
  const out = new Float32Array(count);
  if (dtype === 'F32') {
    new Uint8Array(out.buffer).set(bytes.subarray(0, count * 4));
    return out;
  }
  const bits = new Uint32Array(out.buffer);
  const halves = alignedHalves(bytes, count);
  if (dtype === 'BF16') {
    for (let i = 0; i < count; i++) bits[i] = halves[i]! << 16;
  } else {
    const table = f16Bits();
    for (let i = 0; i < count; i++) bits[i] = table[halves[i]!]!;
  }
  return out;
}

/** Encodes float32 values as little-endian bytes of `dtype`, rounding to nearest, ties to even. */
export function encodeFloats(values: Float32Array, dtype: FloatDtype): Uint8Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === 'F32') return new Uint8Array(bits.slice().buffer);
  const encode = dtype === 'F16' ? f32BitsToF16 : f32BitsToBf16;
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = encode(bits[i]!);
  return new Uint8Array(halves.buffer);
}

/** A Uint16 view of the bytes; copies only where they start at an odd address. */
function alignedHalves(bytes: Uint8Array, count: number): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, count);
}
