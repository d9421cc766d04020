/**
 * The only door to onnxruntime-web. It is loaded on first use, from our own origin, and only in
 * the build that is needed: plain wasm (14 MB), or the one with WebGPU (27 MB), which runs on the
 * caller's device so that weights in GPU buffers are used where they lie.
 */
import type * as Ort from 'onnxruntime-web';
import asyncifyGlueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import asyncifyWasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import wasmGlueUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { PeruError } from '@/core/errors';
import { withGpuMemory } from './gpu-memory';
import {
  type FeedData,
  type Feeds,
  type GraphSession,
  HeldInLane,
  type HeldOutput,
  NO_WEIGHTS,
  type Provider,
} from './graph-session';
import { checkFeedBytes } from './memory-limit';

export type { FeedData, Feeds, GraphSession, HeldOutput, Provider } from './graph-session';

type OrtModule = typeof Ort;

/** One build of onnxruntime, running. */
interface Runtime {
  readonly ort: OrtModule;
  /** What its wasm trapped with, or null: nothing it computes after a trap can be trusted. */
  trap: unknown;
}

const MAX_THREADS = 4;
/** Below it, onnxruntime warns that it computes shapes on the CPU, as it should. */
const LOG_ERRORS = 3;

/**
 * Compiles an ONNX graph for a provider; fetches the runtime if this is the first.
 *
 * @param keptOutputs outputs that `runHeld` leaves on the GPU; without one they come as arrays
 * @throws PeruError 'source' when the runtime cannot be loaded, 'out-of-memory', 'internal'
 */
export async function createGraphSession(
  model: Uint8Array,
  provider: Provider,
  keptOutputs: readonly string[] = [],
): Promise<GraphSession> {
  if (provider.kind === 'wasm' && provider.lanes !== undefined) {
    return provider.lanes.open(model, keptOutputs);
  }
  const runtime = await loadRuntime(provider);
  const locations = keptOutputs.map((name) => [name, 'gpu-buffer'] as const);
  const kept = provider.kind === 'webgpu' && locations.length > 0;
  try {
    const session = await enqueue(() => {
      assertSound(runtime);
      return runtime.ort.InferenceSession.create(model, {
        executionProviders: [executionProvider(provider)],
        logSeverityLevel: LOG_ERRORS,
        ...(kept ? { preferredOutputLocation: Object.fromEntries(locations) } : {}),
      });
    });
    return new QueuedSession(runtime, session, provider);
  } catch (cause) {
    throw runtimeError('prepare a model', cause, runtime);
  }
}

/**
 * Threads the wasm build uses: more than one needs a cross-origin isolated page. Half the logical
 * cores, because the other half are often the same cores again, and because threads that wait
 * for each other are slower than one when something else (drawing, a software GPU) wants a core.
 */
export function threadCount(): number {
  if (!globalThis.crossOriginIsolated) return 1;
  return Math.min(Math.ceil(navigator.hardwareConcurrency / 2), MAX_THREADS);
}

class QueuedSession implements GraphSession {
  readonly queue = null;
  readonly lanes = [this];
  readonly #runtime: Runtime;
  readonly #session: Ort.InferenceSession;
  readonly #provider: Provider;
  readonly #loss: DeviceLoss;

  constructor(runtime: Runtime, session: Ort.InferenceSession, provider: Provider) {
    this.#runtime = runtime;
    this.#session = session;
    this.#provider = provider;
    this.#loss = watchLoss(provider);
  }

  async run(feeds: Feeds, output: string, weights = NO_WEIGHTS): Promise<Float32Array> {
    const held = await this.runHeld(feeds, [output], weights);
    const data = held.get(output)?.data;
    if (data instanceof Float32Array) return data;
    held.get(output)?.dispose();
    throw internal('run a model', new TypeError(`Output ${output} is kept on the GPU.`));
  }

  async runHeld(
    feeds: Feeds,
    outputs: readonly string[],
    weights = NO_WEIGHTS,
  ): Promise<Map<string, HeldOutput>> {
    const inputs = new Map(feeds);
    // They may be those of other graphs, too.
    for (const name of this.#session.inputNames) {
      const weight = weights.get(name);
      if (weight !== undefined) inputs.set(name, weight);
    }
    checkFeedBytes(bytesInMemory(inputs));
    const tensors: Record<string, Ort.Tensor> = {};
    for (const [name, feed] of inputs) tensors[name] = this.#toTensor(feed);
    try {
      const results = await enqueue(() => {
        // On a lost device onnxruntime would wait for ever.
        if (this.#loss.reason !== null) throw deviceLost(this.#loss.reason);
        assertSound(this.#runtime);
        const run = () => this.#session.run(tensors, outputs);
        if (this.#provider.kind === 'wasm') return run();
        return withGpuMemory(this.#provider.device, 'run a model', run);
      });
      return new Map(outputs.map((name) => [name, heldOutput(name, results[name])]));
    } catch (cause) {
      await this.#loss.settled();
      if (this.#loss.reason !== null) throw deviceLost(this.#loss.reason, cause);
      throw runtimeError('run a model', cause, this.#runtime);
    }
  }

  async release(): Promise<void> {
    await enqueue(() => this.#session.release());
  }

  /** Tensors only point at their data: nothing to free. */
  #toTensor({ shape, data }: FeedData): Ort.Tensor {
    const { Tensor } = this.#runtime.ort;
    if (data instanceof Int32Array) return new Tensor('int32', data, shape);
    if (data instanceof Float32Array) return new Tensor('float32', data, shape);
    if (data instanceof HeldInLane) throw new TypeError('An output was fed outside of its lane.');
    return Tensor.fromGpuBuffer(data, { dataType: 'float32', dims: shape });
  }
}

/** Bytes of arrays, which a run copies; what lies on the GPU stays there. */
function bytesInMemory(feeds: Feeds): number {
  let bytes = 0;
  for (const { data } of feeds.values()) if ('byteLength' in data) bytes += data.byteLength;
  return bytes;
}

function heldOutput(name: string, tensor: Ort.Tensor | undefined): HeldOutput {
  if (tensor?.location === 'gpu-buffer' && tensor.type === 'float32') {
    const data = tensor.gpuBuffer;
    // Freeing enters the runtime, which may be in the middle of another run.
    const dispose = () => {
      void enqueue(() => {
        tensor.dispose();
        return Promise.resolve();
      });
    };
    return { shape: tensor.dims, data, dispose };
  }
  const data = tensor?.location === 'cpu' ? tensor.data : null;
  if (tensor === undefined || !(data instanceof Float32Array)) {
    throw new TypeError(`The graph gave no float32 output named ${name}.`);
  }
  return { shape: tensor.dims, data, dispose: () => undefined };
}

interface DeviceLoss {
  /** Why the device was lost, or null while it is there. */
  readonly reason: string | null;
  /** Waits for news of a loss that may be under way: a failing run can be the first to tell. */
  settled(): Promise<void>;
}

const LOSS_NEWS_MS = 50;

function watchLoss(provider: Provider): DeviceLoss {
  if (provider.kind === 'wasm') return { reason: null, settled: () => Promise.resolve() };
  const loss: { reason: string | null; settled: () => Promise<void> } = {
    reason: null,
    settled: () =>
      Promise.race([lost, new Promise<void>((resolve) => setTimeout(resolve, LOSS_NEWS_MS))]),
  };
  const lost = provider.device.lost.then((info) => {
    loss.reason = info.message || info.reason;
  });
  return loss;
}

function executionProvider(provider: Provider): Ort.InferenceSession.ExecutionProviderConfig {
  return provider.kind === 'wasm' ? 'wasm' : { name: 'webgpu', device: provider.device };
}

const runtimes = new Map<Provider['kind'], Promise<Runtime>>();

/** The threads of the first who asks are those of the build. */
function loadRuntime(provider: Provider): Promise<Runtime> {
  const { kind } = provider;
  const known = runtimes.get(kind);
  if (known !== undefined) return known;
  const loading = importRuntime(provider).catch((cause: unknown) => {
    // A failed download must not stand in the way of the next try.
    runtimes.delete(kind);
    throw new PeruError(
      'source',
      'The evaluator (onnxruntime) could not be loaded.',
      'Check the connection to this page and try again.',
      { cause, mayPass: true },
    );
  });
  runtimes.set(kind, loading);
  return loading;
}

async function importRuntime(provider: Provider): Promise<Runtime> {
  const [ort, glue, wasm] =
    provider.kind === 'wasm'
      ? [await import('onnxruntime-web/wasm'), wasmGlueUrl, wasmUrl]
      : [await import('onnxruntime-web/webgpu'), asyncifyGlueUrl, asyncifyWasmUrl];
  ort.env.logLevel = 'error';
  const { threads = threadCount() } = provider.kind === 'wasm' ? provider : {};
  ort.env.wasm.numThreads = threads;
  // Absolute, because onnxruntime takes anything else for another origin's and copies it to a blob.
  ort.env.wasm.wasmPaths = {
    mjs: new URL(glue, import.meta.url).href,
    wasm: new URL(wasm, import.meta.url).href,
  };
  return { ort, trap: null };
}

let lastCall: Promise<unknown> = Promise.resolve();

/** Runs `call` after every earlier one has settled: the runtimes are not re-entrant. */
function enqueue<T>(call: () => Promise<T>): Promise<T> {
  const result = lastCall.then(call, call);
  lastCall = result.catch(() => undefined);
  return result;
}

function deviceLost(reason: string, cause?: unknown): PeruError {
  return new PeruError(
    'device-lost',
    `The GPU was lost while accuracy was computed: ${reason}.`,
    'Run again: Peru opens a new device. If it happens again, close other pages that use the GPU.',
    { cause },
  );
}

/** @throws PeruError 'out-of-memory' once the runtime has trapped */
function assertSound(runtime: Runtime): void {
  if (runtime.trap !== null) throw outOfMemory('go on', runtime.trap);
}

/** The error of a call that failed; a trap ends the runtime. */
function runtimeError(doing: string, cause: unknown, runtime: Runtime): PeruError {
  if (cause instanceof PeruError) return cause;
  const message = messageOf(cause);
  if (cause instanceof WebAssembly.RuntimeError) {
    // An allocation that fails goes unnoticed until its address is used, or what lies there.
    runtime.trap = cause;
    return outOfMemory(doing, cause);
  }
  if (/bad_alloc|out of memory|allocation failed|could not allocate/i.test(message)) {
    return outOfMemory(doing, cause);
  }
  if (/no available backend/.test(message)) {
    return new PeruError(
      'source',
      `The evaluator (onnxruntime) could not be started: ${message}`,
      'Check the connection to this page and reload it.',
      { cause },
    );
  }
  return internal(doing, cause);
}

function outOfMemory(doing: string, cause: unknown): PeruError {
  return new PeruError(
    'out-of-memory',
    `onnxruntime had not enough memory to ${doing} for the accuracy: ${messageOf(cause)}`,
    'Close other tabs and try again, or take a smaller model.',
    { cause },
  );
}

function internal(doing: string, cause: unknown): PeruError {
  return new PeruError(
    'internal',
    `onnxruntime could not ${doing}: ${messageOf(cause)}`,
    'This is a fault in Peru: please report it with the names of the checkpoints.',
    { cause },
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
