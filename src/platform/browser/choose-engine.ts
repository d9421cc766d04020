import { createReferenceEngine } from '@/reference/engine';
import { PeruError, errorFacts } from '@/core/errors';
import { type ChosenEngine } from '@/jobs/context/platform';

/** The visitor's GPU; where there is none, the float64 twins (the page's banner says so). */
export async function chooseEngine(): Promise<ChosenEngine> {
  // Old browsers have WebGPU but no Float16Array, without which the kernels' WGSL parser fails.
  if (!('Float16Array' in globalThis)) return referenceEngine(tooOld());
  const [{ openDevice }, { createGpuEngine, warmUpKernels }] = await loadGpuCode();
  try {
    const handle = await openDevice();
    // Compiled while files load; whoever needs a shader that fails meets it again.
    void warmUpKernels(handle);
    return { engine: createGpuEngine(handle), device: handle.device };
  } catch (error) {
    if (!(error instanceof PeruError && error.kind === 'gpu-unavailable')) throw error;
    return referenceEngine(error);
  }
}

async function loadGpuCode() {
  try {
    return await Promise.all([import('@/gpu/device'), import('@/kernels/engine')]);
  } catch (cause) {
    throw new PeruError(
      'source',
      'A part of the page (its GPU code) could not be loaded.',
      'Check the connection and reload the page: the site may have been updated.',
      { cause },
    );
  }
}

function tooOld(): PeruError {
  return new PeruError(
    'gpu-unavailable',
    'This browser is too old for the GPU code: it has no Float16Array.',
    'To use the GPU, update the browser.',
  );
}

function referenceEngine(reason: PeruError): ChosenEngine {
  return { engine: createReferenceEngine(), device: null, noGpu: errorFacts(reason) };
}
