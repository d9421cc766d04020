/** One tensor's float32 weights, in memory or on the engine's GPU. */
export type WeightData = Float32Array | GPUBuffer;
