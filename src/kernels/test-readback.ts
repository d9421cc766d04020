/** For tests: reads a GPU buffer of weights back, the way onnxruntime would read it. */
import { type Engine } from '@/tensor/engine';
import { deviceOf } from './test-device';

export async function readGpuWeights(
  engine: Engine,
  buffer: GPUBuffer,
  elementCount: number,
): Promise<Float32Array> {
  const device = deviceOf(engine);
  const size = 4 * elementCount;
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ size: Math.max(4, size), usage });
  const encoder = device.createCommandEncoder();
  if (size > 0) encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0, size));
  staging.destroy();
  return values;
}
