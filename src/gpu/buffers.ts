/**
 * The one owner of GPU buffers: creates, reuses and destroys them, and knows how many bytes they
 * hold. Nobody counts references; whoever creates a buffer releases it, most often by a scope.
 */
import { PeruError } from '@/core/errors';

/** Released buffers up to this size wait for reuse, */
const POOLED_BUFFER_BYTES = 64 * 2 ** 20;
/** while all that wait hold no more than this: the float32 weights of a ViT-B/32 are 350 MB. */
const POOL_BYTES = 512 * 2 ** 20;
/** Software adapters keep buffers in main memory; there the evaluator takes its weights on the CPU. */
const SOFTWARE_POOL_BYTES = 256 * 2 ** 20;

/** Buffer sizes are whole vec4<u32>, so that a shader may bind any buffer as such. */
const SIZE_STEP = 16;

export class BufferOwner {
  private readonly idle = new Map<string, GPUBuffer[]>();
  private idleBytes = 0;
  private allocatedBytes = 0;
  private highestBytes = 0;
  private readonly poolBytes: number;
  private limitBytes = Infinity;

  /** @param software whether the adapter computes on the CPU */
  constructor(
    private readonly device: Pick<GPUDevice, 'createBuffer' | 'limits'>,
    software: boolean,
  ) {
    this.poolBytes = software ? SOFTWARE_POOL_BYTES : POOL_BYTES;
  }

  /** Bytes of all buffers that exist, those waiting for reuse included. */
  get liveBytes(): number {
    return this.allocatedBytes;
  }

  /** Those waiting left out. */
  get usedBytes(): number {
    return this.allocatedBytes - this.idleBytes;
  }

  get peakBytes(): number {
    return this.highestBytes;
  }

  /**
   * A buffer of at least `byteLength` bytes. Reused ones hold what they held.
   *
   * @throws PeruError `out-of-memory` above the device's largest buffer; a refusal by the driver
   *   comes through the error scope around the call (`withErrorScopes`)
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
    this.dropIdle(this.limitBytes - size);
    const buffer = this.device.createBuffer({ label, size, usage });
    this.allocatedBytes += size;
    this.highestBytes = Math.max(this.highestBytes, this.allocatedBytes);
    return buffer;
  }

  /**
   * From now on buffers wait for reuse only while all together stay below this; `Infinity` ends it.
   * What is in use is counted and never refused.
   */
  limit(byteLength: number): void {
    this.limitBytes = byteLength;
  }

  /**
   * Takes a buffer back. Work already submitted still sees it; work submitted later that reuses it
   * runs after, in queue order.
   */
  release(buffer: GPUBuffer): void {
    const { size, usage } = buffer;
    const isFull = this.idleBytes + size > this.poolBytes || this.allocatedBytes > this.limitBytes;
    if (size > POOLED_BUFFER_BYTES || isFull) {
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
    this.dropIdle(0);
  }

  /** Destroys a buffer that is of no more use, or that a failed allocation left invalid. */
  destroy(buffer: GPUBuffer): void {
    this.allocatedBytes -= buffer.size;
    buffer.destroy();
  }

  /** Destroys what waits, until all buffers hold at most this or none waits. */
  private dropIdle(mostBytes: number): void {
    for (const [key, waiting] of this.idle) {
      while (this.allocatedBytes > mostBytes) {
        const buffer = waiting.pop();
        if (!buffer) break;
        this.idleBytes -= buffer.size;
        this.destroy(buffer);
      }
      if (waiting.length === 0) this.idle.delete(key);
    }
  }

  /**
   * Runs work with buffers of its own: released when it is done; destroyed when it fails, because
   * one that was never allocated would break whoever reuses it.
   */
  async lend<T>(work: (scope: BufferScope) => Promise<T>): Promise<T> {
    const scope = this.scope();
    try {
      const result = await work(scope);
      scope.release();
      return result;
    } catch (error) {
      scope.destroy();
      throw error;
    }
  }

  /** A set of buffers released together. */
  scope(): BufferScope {
    return new BufferScope(this);
  }
}

export class BufferScope {
  private buffers: GPUBuffer[] = [];

  constructor(private readonly owner: BufferOwner) {}

  get byteLength(): number {
    return this.buffers.reduce((sum, { size }) => sum + size, 0);
  }

  create(label: string, byteLength: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const buffer = this.owner.create(label, byteLength, usage);
    this.buffers.push(buffer);
    return buffer;
  }

  release(): void {
    for (const buffer of this.buffers) this.owner.release(buffer);
    this.buffers = [];
  }

  /** Instead of `release` after a failure. */
  destroy(): void {
    for (const buffer of this.buffers) this.owner.destroy(buffer);
    this.buffers = [];
  }
}

function poolKey(size: number, usage: GPUBufferUsageFlags): string {
  return `${size}:${usage}`;
}

function tooLarge(label: string, size: number, device: Pick<GPUDevice, 'limits'>): PeruError {
  return new PeruError(
    'out-of-memory',
    `"${label}" needs one GPU buffer of ${size} bytes; this device allows ${device.limits.maxBufferSize}.`,
    'Use fewer or smaller checkpoints, or a device with larger buffers.',
  );
}
