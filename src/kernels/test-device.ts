/** Opens an engine for a suite and fails any test during which the device reported an error. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Engine } from '@/tensor/engine';
import { type EngineCase, type OpenedEngine } from '@/kernels/engine-cases.fixture';

const SCOPES = ['validation', 'internal', 'out-of-memory'] as const;

const devices = new WeakMap<Engine, GPUDevice>();

/** The device under an engine opened by `useEngine`. */
export function deviceOf(engine: Engine): GPUDevice {
  const device = devices.get(engine);
  if (!device) throw new Error('This engine has no device.');
  return device;
}

/** Call inside `describe`; the engine is there once tests run. */
export function useEngine(engineCase: EngineCase): () => Engine {
  let opened: OpenedEngine | null = null;
  const uncaptured: string[] = [];
  const hear = (event: GPUUncapturedErrorEvent): void => {
    uncaptured.push(event.error.message);
  };
  beforeAll(async () => {
    opened = await engineCase.open();
    if (opened.handle) devices.set(opened.engine, opened.handle.device);
    opened.handle?.device.addEventListener('uncapturederror', hear);
  });
  beforeEach(() => {
    for (const scope of SCOPES) opened?.handle?.device.pushErrorScope(scope);
  });
  afterEach(async () => {
    const device = opened?.handle?.device;
    if (device) {
      const errors = await Promise.all(SCOPES.map(() => device.popErrorScope()));
      expect(errors).toEqual([null, null, null]);
    }
    expect(uncaptured.splice(0)).toEqual([]);
    // Every group of the test was disposed of, and so no byte is held.
    expect(opened?.engine.memory().liveBytes).toBe(0);
  });
  afterAll(() => {
    opened?.handle?.device.removeEventListener('uncapturederror', hear);
    if (engineCase.isShared !== true) opened?.engine.dispose();
  });
  return () => {
    if (!opened) throw new Error('The engine is opened when the first test starts.');
    return opened.engine;
  };
}
