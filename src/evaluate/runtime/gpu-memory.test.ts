import { describe, expect, it } from 'vitest';
import { withGpuMemory } from './gpu-memory';

/** A device whose scopes end with what is given. */
function device(popped: () => Promise<GPUError | null>) {
  const scopes: string[] = [];
  return {
    scopes,
    pushErrorScope: (filter: GPUErrorFilter) => {
      scopes.push(filter);
      return undefined;
    },
    popErrorScope: () => {
      scopes.pop();
      return popped();
    },
  };
}

describe('withGpuMemory', () => {
  const none = () => Promise.resolve(null);

  it('gives what the work gives, inside a scope', async () => {
    const gpu = device(none);
    const seen = await withGpuMemory(gpu, 'run', () => Promise.resolve([...gpu.scopes]));
    expect([seen, gpu.scopes]).toEqual([['out-of-memory'], []]);
  });

  it('believes nothing that was computed without memory', async () => {
    const gpu = device(() => Promise.resolve({ message: 'no bytes left' } as GPUError));
    const run = withGpuMemory(gpu, 'run a model', () => Promise.resolve(1));
    await expect(run).rejects.toMatchObject({
      name: 'PeruError',
      kind: 'out-of-memory',
      message: expect.stringMatching(/run a model.*no bytes left/) as string,
    });
  });

  it("closes the scope when the work fails, with the work's own error", async () => {
    const gpu = device(() => Promise.reject(new Error('the device is gone')));
    const failing = withGpuMemory(gpu, 'run', () => Promise.reject(new Error('lost')));
    await expect(failing).rejects.toThrow('lost');
    expect(gpu.scopes).toEqual([]);
  });
});
