/**
 * What computes: a GPU where there is one. A software adapter emulates one on the processor, many
 * times slower than the processor itself, so it is taken only where it is asked for.
 */
import { errorFacts, PeruError } from '@/core/errors';
import { type ChosenEngine } from '@/jobs/context/platform';
import { createProcessorEngine } from '@/processor/engine';
import { type EnginePreference } from '@/protocol/requests';
import { browserThreads } from './processor-threads';

export async function chooseEngine(preference: EnginePreference): Promise<ChosenEngine> {
  if (preference === 'processor') return onProcessor({});
  try {
    return await onGpu(preference);
  } catch (error) {
    if (!(error instanceof PeruError && error.kind === 'gpu-unavailable')) throw error;
    return onProcessor({ noGpu: errorFacts(error) });
  }
}

/** @throws PeruError `gpu-unavailable` where the browser has no adapter to give */
async function onGpu(preference: EnginePreference): Promise<ChosenEngine> {
  // Old browsers have WebGPU but no Float16Array, without which the kernels' WGSL parser fails.
  if (!('Float16Array' in globalThis)) throw tooOld();
  const [{ openDevice }, { createGpuEngine, warmUpKernels }] = await loadGpuCode();
  const handle = await openDevice();
  if (handle.adapter.fallback && preference === 'auto') {
    handle.dispose();
    return onProcessor({ passedOver: handle.adapter });
  }
  // Compiled while files load; whoever needs a shader that fails meets it again.
  void warmUpKernels(handle);
  return { engine: createGpuEngine(handle), device: handle.device };
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

function onProcessor(reason: Pick<ChosenEngine, 'noGpu' | 'passedOver'>): ChosenEngine {
  return { engine: createProcessorEngine(browserThreads()), device: null, ...reason };
}
