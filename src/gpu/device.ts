/**
 * The one door to WebGPU: asks for adapter and device, and watches over the device's life. All GPU
 * objects hang on the `DeviceHandle`; a lost device takes the handle with it, and recovery is to
 * open another.
 */
import { type AdapterReport } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { BufferOwner } from './buffers';
import { OPTIONAL_FEATURES, ownLimits, reportAdapter } from './limits';
import { type LiveDevice } from './live-device';
import { PipelineCache } from './pipelines';
import { type PassTimer } from './timer';

export interface OpenDeviceOptions {
  /** Where adapters come from; default: the browser's. Dawn for Node passes its own. */
  readonly gpu?: GPU;
  /** Take WebGPU's default limits even where the adapter offers more. */
  readonly forceDefaultLimits?: boolean;
  /** Fold grids already at this many workgroups; default: the device's limit. */
  readonly foldGridAt?: number;
  readonly signal?: AbortSignal;
  /** Errors on the device outside Peru's own error scopes, e.g. from onnxruntime. */
  readonly onUncapturedError?: (message: string) => void;
}

/**
 * Opens a device with the adapter's own limits, or with the defaults when those are refused.
 *
 * @throws PeruError `gpu-unavailable` where there is no WebGPU, no adapter or no device
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<DeviceHandle> {
  const gpu = options.gpu ?? browserGpu();
  const adapter = await requestAdapter(gpu);
  options.signal?.throwIfAborted();
  const requiredFeatures = OPTIONAL_FEATURES.filter((name) => adapter.features.has(name));
  const label = 'peru';
  let device: GPUDevice;
  try {
    const requiredLimits = options.forceDefaultLimits ? {} : ownLimits(adapter);
    device = await adapter.requestDevice({ label, requiredFeatures, requiredLimits });
  } catch {
    // Some drivers offer limits that they then refuse: a fresh adapter, nothing asked.
    device = await requestPlainDevice(await requestAdapter(gpu));
  }
  if (options.signal?.aborted) device.destroy();
  options.signal?.throwIfAborted();
  return new DeviceHandle(device, reportAdapter(adapter), options);
}

function browserGpu(): GPU {
  // Absent in browsers without WebGPU and on pages that are not a secure context.
  const gpu = (globalThis.navigator as { readonly gpu?: GPU } | undefined)?.gpu;
  if (gpu) return gpu;
  throw unavailable(
    'This browser offers no WebGPU.',
    'open the page in a browser that has it (a current Chrome, Edge or Safari, Firefox on Windows or macOS), over https',
  );
}

async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  const none = (cause?: unknown): PeruError =>
    unavailable(
      'This browser has WebGPU but found no adapter to run it on.',
      'switch on graphics acceleration in the settings of the browser, or update the graphics driver',
      cause,
    );
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (cause) {
    throw none(cause);
  }
  if (!adapter) throw none();
  return adapter;
}

async function requestPlainDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice({ label: 'peru' });
  } catch (cause) {
    throw unavailable(
      'The graphics adapter refused to open a device.',
      'close other pages that use it and restart the browser, or update the graphics driver',
      cause,
    );
  }
}

function unavailable(message: string, remedy: string, cause?: unknown): PeruError {
  return new PeruError('gpu-unavailable', message, `To use the GPU, ${remedy}.`, { cause });
}

/** An open device with its buffers and pipelines. */
export class DeviceHandle implements LiveDevice {
  readonly buffers: BufferOwner;
  readonly pipelines: PipelineCache;
  /** Settles with the reason when the device goes, unless `dispose` sent it; never rejects. */
  readonly lost: Promise<string>;
  /** Most workgroups along x before a grid folds into y. */
  readonly gridLimit: number;
  /** Set by benches to time passes by the GPU's own clock. */
  timer: PassTimer | null = null;

  private lostReason: string | null = null;
  private disposed = false;
  /** Rejects whoever waits in `alive` now. */
  private readonly waiting = new Set<(reason: PeruError) => void>();

  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterReport,
    options: Pick<OpenDeviceOptions, 'foldGridAt' | 'onUncapturedError'> = {},
  ) {
    this.buffers = new BufferOwner(device, adapter.fallback);
    this.pipelines = new PipelineCache(this);
    this.gridLimit = options.foldGridAt ?? device.limits.maxComputeWorkgroupsPerDimension;
    const gone = device.lost.then((info) => (this.lostReason = info.message || info.reason));
    this.lost = gone.then((reason) =>
      this.disposed ? new Promise<string>(() => undefined) : reason,
    );
    void gone.then(() => {
      for (const reject of this.waiting) reject(this.lostError());
      this.waiting.clear();
    });
    device.addEventListener('uncapturederror', (event) => {
      options.onUncapturedError?.(event.error.message);
    });
  }

  /** @throws PeruError `device-lost` when the device is gone */
  assertAlive(): void {
    if (this.lostReason !== null || this.disposed) throw this.lostError();
  }

  /** Works now waited for in `alive`. */
  get waitingCount(): number {
    return this.waiting.size;
  }

  /**
   * Waits for the GPU, but no longer than the device lives.
   *
   * @throws PeruError `device-lost`, also when the device went after `work` was done
   */
  async alive<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await this.untilLost(work);
      this.assertAlive();
      return result;
    } catch (cause) {
      if (cause instanceof PeruError) throw cause;
      // mapAsync and popErrorScope reject by themselves, sometimes before `lost` settles.
      if (isAbort(cause)) throw this.lostError(cause);
      throw cause;
    }
  }

  /** Destroys device and buffers, quietly: `lost` does not settle. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.device.destroy();
  }

  /**
   * `work`, or its rejection when the device goes first. No race with a promise as old as the
   * device: that would keep every result, megabytes read back among them, as long as the device.
   */
  private untilLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.lostReason === null) this.waiting.add(reject);
      else reject(this.lostError());
      work.finally(() => this.waiting.delete(reject)).then(resolve, reject);
    });
  }

  private lostError(cause?: unknown): PeruError {
    const why = this.disposed ? 'it was closed' : (this.lostReason ?? 'it went away');
    return new PeruError(
      'device-lost',
      `The GPU was lost in the middle of the work: ${why}.`,
      'Run again: Peru opens a new device. If it happens again, close other pages that use the GPU.',
      { cause },
    );
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'OperationError');
}
