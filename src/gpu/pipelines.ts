/**
 * Compute pipelines, made once a kernel and set of overrides. Layouts are explicit, read from the
 * WGSL (reflect.ts), so that bindings are given by the names they have in the shader.
 */
import { PeruError } from '@/core/errors';
import { type LiveDevice } from './live-device';
import { type Bindings, layoutEntries, reflectBindings } from './reflect';

/** A shader as data: linked WGSL with one entry point `main`. */
export interface KernelSource {
  readonly name: string;
  readonly code: string;
  readonly overrides?: Readonly<Record<string, number>>;
}

/** A compiled kernel. */
export interface Kernel {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroupLayout: GPUBindGroupLayout;
  readonly bindings: Bindings;
  /** Bind groups made so far, by what they bind. */
  readonly bindGroups: Map<string, GPUBindGroup>;
}

export class PipelineCache {
  /** Promises, so that callers at the same time share one compilation. */
  private readonly kernels = new Map<string, Promise<Kernel>>();

  constructor(private readonly handle: LiveDevice) {}

  /** @throws PeruError `shader-compile` with the compiler's lines; a later call tries again */
  async get(source: KernelSource): Promise<Kernel> {
    const key = `${source.name} ${JSON.stringify(source.overrides ?? {})}`;
    let kernel = this.kernels.get(key);
    if (!kernel) {
      kernel = compile(this.handle, source);
      this.kernels.set(key, kernel);
      kernel.catch(() => this.kernels.delete(key));
    }
    return kernel;
  }
}

async function compile(handle: LiveDevice, source: KernelSource): Promise<Kernel> {
  handle.assertAlive();
  const { device } = handle;
  const { name: label, code } = source;
  const bindings = reflectBindings(code);
  // The scope holds what creating module and layouts reports; the pipeline rejects by itself.
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code });
  const bindGroupLayout = device.createBindGroupLayout({ label, entries: layoutEntries(bindings) });
  const layout = device.createPipelineLayout({ label, bindGroupLayouts: [bindGroupLayout] });
  const scopeError = device.popErrorScope();
  const compute = { module, entryPoint: 'main', constants: source.overrides ?? {} };
  try {
    const pipeline = await handle.alive(
      device.createComputePipelineAsync({ label, layout, compute }),
    );
    return { name: label, pipeline, bindGroupLayout, bindings, bindGroups: new Map() };
  } catch (cause) {
    if (cause instanceof PeruError) throw cause;
    throw await compileError(label, module, cause);
  } finally {
    await scopeError.catch(() => null);
  }
}

async function compileError(name: string, module: GPUShaderModule, cause: unknown) {
  const info = await module.getCompilationInfo();
  const lines = info.messages.map((m) => `${m.type} at ${m.lineNum}:${m.linePos}: ${m.message}`);
  const reason = lines.length > 0 ? lines.join('\n') : String(cause);
  return new PeruError(
    'shader-compile',
    `The shader "${name}" does not compile on this device:\n${reason}`,
    'Update the browser and the graphics driver; if that does not help, please report this.',
    { cause },
  );
}
