/**
 * Uniform parameters. Records are written by the order of fields in the WGSL, and
 * kept by content: the same record is uploaded once and bound from then on.
 */
import { PeruError } from '@/core/errors';
import { type BufferOwner } from './buffers';
import { type BufferSlice } from './recorder';
import { type Kernel } from './pipelines';

/** Records a buffer holds; each takes one uniform offset alignment (256 bytes by default). */
const RECORDS_PER_BUFFER = 256;

export class ParamsCache {
  private readonly records = new Map<string, BufferSlice>();
  private readonly buffers: GPUBuffer[] = [];
  private used = RECORDS_PER_BUFFER;

  constructor(
    private readonly device: GPUDevice,
    private readonly owner: BufferOwner,
  ) {}

  /** The record of `values` for a uniform of a kernel. */
  get(kernel: Kernel, values: Readonly<Record<string, number>>, uniform = 'params'): BufferSlice {
    const words = encodeParams(kernel, values, uniform);
    const key = words.join();
    let record = this.records.get(key);
    if (!record) {
      record = this.write(words);
      this.records.set(key, record);
    }
    return record;
  }

  dispose(): void {
    this.forget((buffer) => {
      this.owner.release(buffer);
    });
  }

  /** Forgets all records after a failure, which may have left a buffer invalid. */
  destroy(): void {
    this.forget((buffer) => {
      this.owner.destroy(buffer);
    });
  }

  private forget(drop: (buffer: GPUBuffer) => void): void {
    this.buffers.forEach(drop);
    this.buffers.length = 0;
    this.records.clear();
    this.used = RECORDS_PER_BUFFER;
  }

  private write(words: Uint32Array<ArrayBuffer>): BufferSlice {
    const stride = Math.max(
      this.device.limits.minUniformBufferOffsetAlignment,
      Math.ceil(words.byteLength / 16) * 16,
    );
    if (this.used === RECORDS_PER_BUFFER) {
      const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
      this.buffers.push(this.owner.create('params', stride * RECORDS_PER_BUFFER, usage));
      this.used = 0;
    }
    const buffer = this.buffers.at(-1)!;
    const offset = stride * this.used++;
    this.device.queue.writeBuffer(buffer, offset, words);
    return { buffer, offset, size: words.byteLength };
  }
}

/**
 * The bytes of a kernel's uniform: every field is a u32 or i32 named in `values`.
 *
 * @throws PeruError `internal` when names and fields differ
 */
function encodeParams(
  kernel: Pick<Kernel, 'name' | 'bindings'>,
  values: Readonly<Record<string, number>>,
  uniform = 'params',
): Uint32Array<ArrayBuffer> {
  const fields = kernel.bindings.get(uniform)?.fields ?? [];
  if (fields.length !== Object.keys(values).length) throw mismatch(kernel.name);
  const words = new Uint32Array(fields.length);
  fields.forEach((name, i) => {
    const value = values[name];
    if (value === undefined) throw mismatch(kernel.name);
    words[i] = value; // negative numbers wrap to their two's complement, as i32 wants
  });
  return words;
}

function mismatch(name: string): PeruError {
  return new PeruError(
    'internal',
    `The parameters given to "${name}" are not those of its shader.`,
    'Please report this fault in Peru.',
  );
}
