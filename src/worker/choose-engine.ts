import { openDevice } from '@/gpu/device';
import { createGpuEngine } from '@/kernels/engine';
import { createReferenceEngine } from '@/reference/engine';
import { type Engine } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';

export interface ChosenEngine {
  readonly engine: Engine;
  /** The engine's device, for an evaluator that shares its buffers; null without WebGPU. */
  readonly device: GPUDevice | null;
}

/** The visitor's GPU; where there is none, the float64 twins (the page's banner says so). */
export async function chooseEngine(): Promise<ChosenEngine> {
  try {
    const handle = await openDevice();
    return { engine: createGpuEngine(handle), device: handle.device };
  } catch (error) {
    if (!(error instanceof PeruError && error.kind === 'gpu-unavailable')) throw error;
    return { engine: createReferenceEngine(), device: null };
  }
}
