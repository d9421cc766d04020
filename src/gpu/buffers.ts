/**
 * The one owner of GPU buffers: creates, reuses and destroys them, and knows how many bytes they
 * hold. Nobody counts references; whoever creates a buffer releases it, most often by a scope.
 */
import { PeruError } from '@/tensor/errors';

/** Released buffers up to this size wait for reuse, */
const POOLED_BUFFER_BYTES = 64 * 2 ** 20;
/** while all that wait hold no more than this. */
const POOL_BYTES = 256 * 2 ** 20;

/** Buffer sizes are whole vec4<u32>, so that a shader may bind any buffer as such. */
const SIZE_STEP = 16;

export class BufferOwner {
  private readonly idle = new Map<string, GPUBuffer[]>();
  private idleBytes = 0;
  private allocatedBytes = 0;
  private highestBytes = 0;

  constructor(private readonly device: GPUDevice) {}

  /** Bytes of all buffers that exist, those waiting for reuse included. */
  get liveBytes(): number {
    return this.allocatedBytes;
  }

  get peakBytes(): number {
    return this.highestBytes;
  }

  /**
   * A buffer of at least `byteLength` bytes. Reused ones hold what they held.
   *
   * @throws PeruError `out-of-memory` above the device's largest buffer; a refusal by the driver
   *   comes through the error scope around the call (`guarded`)
   */
  create(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = Math.max(SIZE_STEP, Math.ceil(byteLength / SIZE_STEP) * SIZE_STEP);
    if (size > this.device.limits.maxBufferSize) throw tooLarge(label, size, this.device);
    const waiting = this.idle.get(poolKey(size, usage))?.pop();
    if (waiting) {
      this.idleBytes -= size;
      waiting.label = label;
      return waiting;
    }
    const buffer = this.device.createBuffer({ label, size, usage });
    this.allocatedBytes += size;
    this.highestBytes = Math.max(this.highestBytes, this.allocatedBytes);
    return buffer;
  }

  /**
   * Takes a buffer back. Work already submitted still sees it; work submitted later that reuses it
   * runs after, in queue order.
   */
  release(buffer: GPUBuffer): void {
    const { size, usage } = buffer;
    if (size > POOLED_BUFFER_BYTES || this.idleBytes + size > POOL_BYTES) {
      this.destroy(buffer);
      return;
    }
    const key = poolKey(size, usage);
    const waiting = this.idle.get(key);
    if (waiting) waiting.push(buffer);
    else this.idle.set(key, [buffer]);
    this.idleBytes += size;
  }

  /** Destroys the buffers that wait for reuse. */
  trim(): void {
    for (const waiting of this.idle.values()) {
      for (const buffer of waiting) this.destroy(buffer);
    }
    this.idle.clear();
    this.idleBytes = 0;
  }

  /** A set of buffers released together. */
  scope(): BufferScope {
    return new BufferScope(this);
  }

  private destroy(buffer: GPUBuffer): void {
    this.allocatedBytes -= buffer.size;
    buffer.destroy();
  }
}

export class BufferScope {
  private buffers: GPUBuffer[] = [];

  constructor(private readonly owner: BufferOwner) {}

  create(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.owner.create(label, byteLength, usage);
    this.buffers.push(buffer);
    return buffer;
  }

  release(): void {
    for (const buffer of this.buffers) this.owner.release(buffer);
    this.buffers = [];
  }
}

function poolKey(size: number, usage: GPUBufferUsageFlags): string {
  return `${size}:${usage}`;
}

function tooLarge(label: string, size: number, device: GPUDevice): PeruError {
  return new PeruError(
    'out-of-memory',
    `"${label}" needs one GPU buffer of ${size} bytes; this device allows ${device.limits.maxBufferSize}.`,
    'Use fewer or smaller checkpoints, or a device with larger buffers.',
  );
}
