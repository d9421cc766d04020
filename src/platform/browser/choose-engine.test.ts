/** Node has no global of WebGPU: what loads here loads in every browser. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineEvent } from '@/jobs/context/engine-event';
import { chooseEngine } from './choose-engine';

beforeEach(() => {
  // Only whether it is there is looked at.
  vi.stubGlobal('Float16Array', Float32Array);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const gpuThat = (requestAdapter: () => Promise<unknown>) => ({ gpu: { requestAdapter } });
const REFUSING = {
  features: new Set(),
  limits: {},
  requestDevice: () => Promise.reject(new DOMException('no', 'OperationError')),
};

async function expectProcessor(message: RegExp): Promise<void> {
  const chosen = await chooseEngine('auto');
  expect(chosen.device).toBeNull();
  expect(chosen.noGpu?.message).toMatch(message);
  expect(chosen.noGpu?.hint).toMatch(/^To use the GPU, /);
  expect(engineEvent(chosen, '')).toMatchObject({ engine: 'processor', noGpu: chosen.noGpu });
}

describe('the processor computes, and says why, where', () => {
  it.each([
    ['there is no WebGPU', {}, /offers no WebGPU/],
    ['there is no adapter', gpuThat(() => Promise.resolve(null)), /found no adapter/],
    ['no adapter can be asked for', gpuThat(() => Promise.reject(new Error('no'))), /no adapter/],
    ['the adapter rejects', gpuThat(() => Promise.resolve(REFUSING)), /refused to open a device/],
  ])('%s', async (_, navigator, message) => {
    vi.stubGlobal('navigator', navigator);
    await expectProcessor(message);
  });

  it('the browser is too old for the kernels', async () => {
    Reflect.deleteProperty(globalThis, 'Float16Array');
    await expectProcessor(/no Float16Array/);
  });

  it('it was asked for', async () => {
    const { engine, noGpu, passedOver } = await chooseEngine('processor');
    expect([engine.kind, noGpu, passedOver]).toEqual(['processor', undefined, undefined]);
  });
});
