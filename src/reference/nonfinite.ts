/** Twin of shaders/nonfinite.wgsl. */

/** NaN and infinities among float32 values, by their exponent bits. */
export function countNonFiniteValues(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let count = 0;
  for (const word of bits) if ((word & 0x7f80_0000) === 0x7f80_0000) count++;
  return count;
}
