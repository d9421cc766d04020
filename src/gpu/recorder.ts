/** Records dispatches into one compute pass; bind groups are made once per set of buffers. */
import { PeruError } from '@/core/errors';
import { type DeviceHandle } from './device';
import { foldGrid } from './grid';
import { type Kernel } from './pipelines';

/** A part of a buffer, as bindings take it. */
export interface BufferSlice {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** What a kernel binds, by the names in its shader. */
export type Resources = Readonly<Record<string, GPUBuffer | BufferSlice>>;

/** Bind groups kept a kernel before all are dropped: they may name buffers long destroyed. */
const MAX_BIND_GROUPS = 4096;

/** Encodes one compute pass and submits it; barriers between its dispatches come with WebGPU. */
export class PassRecorder {
  readonly encoder: GPUCommandEncoder;
  private pass: GPUComputePassEncoder | null = null;

  constructor(
    private readonly handle: DeviceHandle,
    private readonly label: string,
  ) {
    this.encoder = handle.device.createCommandEncoder({ label });
  }

  /** Zeroes a buffer; before the first dispatch only. */
  clear(slice: GPUBuffer): void {
    this.encoder.clearBuffer(slice);
  }

  dispatch(kernel: Kernel, resources: Resources, groups: number): void {
    if (groups === 0) return;
    const pass = (this.pass ??= this.begin());
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, bindGroup(this.handle.device, kernel, resources));
    pass.dispatchWorkgroups(...foldGrid(groups, this.handle.gridLimit));
  }

  /** Ends the pass, so that copies may follow on `encoder`. */
  endPass(): void {
    this.pass?.end();
    this.pass = null;
  }

  submit(): void {
    this.endPass();
    this.handle.device.queue.submit([this.encoder.finish({ label: this.label })]);
  }

  private begin(): GPUComputePassEncoder {
    const { label } = this;
    const timestampWrites = this.handle.timer?.next();
    return this.encoder.beginComputePass(timestampWrites ? { label, timestampWrites } : { label });
  }
}

const bufferIds = new WeakMap<GPUBuffer, number>();
let nextBufferId = 0;

function bufferId(buffer: GPUBuffer): number {
  let id = bufferIds.get(buffer);
  if (id === undefined) bufferIds.set(buffer, (id = nextBufferId++));
  return id;
}

function asSlice(resource: GPUBuffer | BufferSlice): BufferSlice {
  if ('buffer' in resource) return resource;
  return { buffer: resource, offset: 0, size: resource.size };
}

function bindGroup(device: GPUDevice, kernel: Kernel, resources: Resources): GPUBindGroup {
  const slices = Object.entries(resources).map(([name, resource]) => {
    const binding = kernel.bindings.get(name)?.binding;
    if (binding === undefined) {
      const message = `The shader "${kernel.name}" has no binding "${name}".`;
      throw new PeruError('internal', message, 'Please report this fault in Peru.');
    }
    return { binding, resource: asSlice(resource) };
  });
  const key = slices
    .map(({ binding, resource: { buffer, offset, size } }) =>
      [binding, bufferId(buffer), offset, size].join(':'),
    )
    .join();
  let group = kernel.bindGroups.get(key);
  if (!group) {
    const { name: label, bindGroupLayout: layout } = kernel;
    group = device.createBindGroup({ label, layout, entries: slices });
    if (kernel.bindGroups.size >= MAX_BIND_GROUPS) kernel.bindGroups.clear();
    kernel.bindGroups.set(key, group);
  }
  return group;
}
