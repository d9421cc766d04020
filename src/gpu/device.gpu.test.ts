import { afterEach, describe, expect, test } from 'vitest';
import { withErrorScopes } from '@/gpu/error-scopes';
import { openDevice } from '@/gpu/device';
import { RAISED_LIMITS } from '@/gpu/limits';
import { type DeviceHandle } from '@/gpu/device';

const handles: DeviceHandle[] = [];

async function open(options?: Parameters<typeof openDevice>[0]): Promise<DeviceHandle> {
  const handle = await openDevice(options);
  handles.push(handle);
  return handle;
}

afterEach(() => {
  for (const handle of handles.splice(0)) handle.dispose();
});

/** A GPU whose adapters are real but for what `change` overrides. */
function gpuWith(change: Partial<Record<keyof GPUAdapter, unknown>>): GPU {
  return {
    requestAdapter: async () => {
      const adapter = (await navigator.gpu.requestAdapter())!;
      return new Proxy(adapter, {
        get: (target, name) => {
          if (name in change) return change[name as keyof GPUAdapter];
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  } as unknown as GPU;
}

describe('openDevice', () => {
  test("takes the adapter's own limits, or the defaults when told to", async () => {
    const adapter = (await navigator.gpu.requestAdapter())!;
    const raised = await open();
    for (const name of RAISED_LIMITS) {
      expect(raised.device.limits[name], name).toBe(adapter.limits[name]);
    }
    const plain = await open({ forceDefaultLimits: true });
    expect(plain.device.limits.maxStorageBufferBindingSize).toBe(134_217_728);
    expect(plain.device.limits.maxStorageBuffersPerShaderStage).toBe(8);
  });

  test('falls back to the defaults when the offered limits are refused', async () => {
    let calls = 0;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
      calls++;
      if (Object.keys(descriptor?.requiredLimits ?? {}).length > 0) throw new Error('refused');
      return (await navigator.gpu.requestAdapter())!.requestDevice();
    };
    const handle = await open({ gpu: gpuWith({ requestDevice }) });
    expect(calls).toBe(2);
    expect(handle.device.limits.maxBufferSize).toBe(268_435_456);
  });

  test('says what is missing: no adapter, no device', async () => {
    const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(open({ gpu: none })).rejects.toMatchObject({ kind: 'gpu-unavailable' });
    const requestDevice = () => Promise.reject(new Error('no'));
    await expect(open({ gpu: gpuWith({ requestDevice }) })).rejects.toMatchObject({
      kind: 'gpu-unavailable',
    });
  });

  test('knows a software adapter', async () => {
    const { adapter } = await open();
    const info = (await navigator.gpu.requestAdapter())!.info;
    expect(adapter.fallback).toBe(info.isFallbackAdapter || info.architecture === 'swiftshader');
  });

  test('stops when aborted', async () => {
    await expect(open({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('withErrorScopes', () => {
  test('turns a validation error into a rejection that names the work', async () => {
    const handle = await open();
    const wrong = withErrorScopes(handle, 'a bad copy', () => {
      const buffer = handle.buffers.create('tiny', 16, GPUBufferUsage.STORAGE);
      const encoder = handle.device.createCommandEncoder();
      encoder.clearBuffer(buffer); // lacks COPY_DST
      handle.device.queue.submit([encoder.finish()]);
    });
    await expect(wrong).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringContaining('a bad copy') as unknown,
    });
  });

  test('an exception inside leaves the scopes balanced', async () => {
    const handle = await open();
    const thrown = withErrorScopes(handle, 'nothing', () => {
      throw new Error('on purpose');
    });
    await expect(thrown).rejects.toThrow('on purpose');
    await expect(handle.device.popErrorScope()).rejects.toThrow(); // the stack is empty
  });
});

describe('alive', () => {
  test('keeps nothing of work that is done', async () => {
    const handle = await open();
    await Promise.all(Array.from({ length: 100 }, (_, i) => handle.alive(Promise.resolve(i))));
    const failed = handle.alive(Promise.reject(new Error('on purpose')));
    expect(handle.waitingCount).toBe(1);
    await expect(failed).rejects.toThrow('on purpose');
    expect(handle.waitingCount).toBe(0);
  });

  test('rejects pending and later work when the device goes', async () => {
    const handle = await open();
    const never = new Promise<never>(() => undefined);
    const pending = [handle.alive(never), handle.alive(never)];
    handle.device.destroy();
    for (const result of await Promise.allSettled(pending)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'device-lost' } });
    }
    await expect(handle.alive(never)).rejects.toMatchObject({ kind: 'device-lost' });
    await expect(handle.alive(Promise.resolve(1))).rejects.toMatchObject({ kind: 'device-lost' });
    expect(handle.waitingCount).toBe(0);
  });

  test('an abort by the browser is the loss of the device', async () => {
    const handle = await open();
    const aborted = Promise.reject(new DOMException('unmapped', 'AbortError'));
    await expect(handle.alive(aborted)).rejects.toMatchObject({ kind: 'device-lost' });
  });
});

describe('buffers', () => {
  test('count live and peak bytes, reuse what was released, and let go on trim', async () => {
    const { buffers } = await open();
    const scope = buffers.scope();
    const first = scope.create('a', 100, GPUBufferUsage.STORAGE);
    expect(first.size).toBe(112); // whole vec4<u32>
    scope.create('b', 16, GPUBufferUsage.STORAGE);
    expect(buffers.liveBytes).toBe(128);
    scope.release();
    const again = buffers.create('c', 112, GPUBufferUsage.STORAGE);
    expect(again).toBe(first);
    expect(again.label).toBe('c');
    expect(buffers.liveBytes).toBe(128);
    buffers.trim();
    expect(buffers.liveBytes).toBe(112);
    expect(buffers.peakBytes).toBe(128);
  });

  test('a buffer beyond the limit is out-of-memory', async () => {
    const { buffers, device } = await open({ forceDefaultLimits: true });
    expect(() =>
      buffers.create('huge', device.limits.maxBufferSize + 1, GPUBufferUsage.STORAGE),
    ).toThrow(expect.objectContaining({ kind: 'out-of-memory' }) as Error);
    expect(buffers.liveBytes).toBe(0);
  });

  test('memory that the driver refuses is out-of-memory', async () => {
    const handle = await open();
    const { device } = handle;
    const refuse = withErrorScopes(handle, 'filling the GPU', () => {
      // Never written to, so a software adapter hands out addresses only.
      const size = Math.floor(device.limits.maxBufferSize / 4) * 4;
      for (let i = 0; i < 64; i++) device.createBuffer({ size, usage: GPUBufferUsage.STORAGE });
    });
    await expect(refuse).rejects.toMatchObject({ kind: 'out-of-memory' });
  });
});

describe('pipelines', () => {
  const good = {
    name: 'good',
    code: '@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n@compute @workgroup_size(1) fn main() { out[0] = 1u; }',
  };

  test('are compiled once, also when asked for twice at a time', async () => {
    const { pipelines } = await open();
    const [a, b] = await Promise.all([pipelines.get(good), pipelines.get(good)]);
    expect(a).toBe(b);
    expect(await pipelines.get(good)).toBe(a);
  });

  test('a shader that does not compile shows the compiler lines, and is not remembered', async () => {
    const { pipelines } = await open();
    const bad = { name: 'bad', code: good.code.replace('= 1u', '= 1.5f') };
    await expect(pipelines.get(bad)).rejects.toMatchObject({
      kind: 'shader-compile',
      message: expect.stringMatching(/"bad".*\n.*error at 2:\d+/s) as unknown,
    });
    await expect(pipelines.get({ ...good, name: 'bad' })).resolves.toMatchObject({ name: 'bad' });
  });
});
