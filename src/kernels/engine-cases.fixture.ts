/** The engines that every suite runs over. */
import { type DeviceHandle, openDevice, type OpenDeviceOptions } from '@/gpu/device';
import { type Counting } from '@/kernels/weights/group-context';
import { inlineThreads } from '@/processor/crew/threads';
import { createProcessorEngine } from '@/processor/engine';
import { createReferenceEngine } from '@/reference/engine';
import { type Engine } from '@/tensor/engine';
import { createGpuEngine } from './engine';

/** An engine under test; `handle` where it runs on a GPU. */
export interface EngineCase {
  readonly name: string;
  readonly open: () => Promise<OpenedEngine>;
  /** Stays open for the suites after this one. */
  readonly isShared?: true;
}

export interface OpenedEngine {
  readonly engine: Engine;
  readonly handle: DeviceHandle | null;
}

/** GPU engines by name, for all suites and files: compiling kernels is most of a test's time. */
const shared = new Map<string, Promise<OpenedEngine>>();

/** Engines whose groups, made by `fakeGroup`, are streamed. */
const streaming = new WeakSet<Engine>();

/** Whether `fakeGroup` makes groups that read their weights. */
export function isStreaming(engine: Engine): boolean {
  return streaming.has(engine);
}

/** The twin in float64, where suites run in Node: it needs no browser, and is the same in all. */
export function referenceCases(): EngineCase[] {
  return 'document' in globalThis ? [] : [plain('reference', createReferenceEngine)];
}

/** As for the twin. Parts begin anywhere, so that tensors, runs and ties are shared out. */
export function processorCases(): EngineCase[] {
  const onThreads = (): Engine => createProcessorEngine(inlineThreads(3), { cutAt: 8 });
  return 'document' in globalThis ? [] : [plain('processor, 3 threads', onThreads)];
}

function plain(name: string, create: () => Engine): EngineCase {
  return { name, open: () => Promise.resolve({ engine: create(), handle: null }) };
}

/**
 * Weights held whole, then streamed. Grids of the last one fold after three workgroups. Between
 * them the GPU's count in every way there is.
 */
export function engineCases(): EngineCase[] {
  const onProcessor = processorCases();
  const joint = (): Engine => createProcessorEngine(inlineThreads(2), { jointFrom: 0 });
  return [
    ...referenceCases(),
    ...onProcessor,
    ...(onProcessor.length > 0 ? [plain('processor, 2 threads, joint counts', joint)] : []),
    onGpu('webgpu', {}, { tally: 'direct', jointFrom: 0 }),
    ...onProcessor.map(streamed),
    streamed(
      onGpu(
        'webgpu, default limits, folded grids',
        { forceDefaultLimits: true, foldGridAt: 3 },
        { tally: 'workgroup', jointFrom: 1000 },
      ),
    ),
  ];
}

function onGpu(name: string, options: OpenDeviceOptions, counting: Counting): EngineCase {
  const open: EngineCase['open'] = () => {
    const opened = shared.get(name) ?? openOnGpu(options, counting);
    shared.set(name, opened);
    return opened;
  };
  return { name, open, isShared: true };
}

async function openOnGpu(options: OpenDeviceOptions, counting: Counting): Promise<OpenedEngine> {
  const handle = await openDevice(options);
  return { engine: createGpuEngine(handle, counting), handle };
}

function streamed({ name, open, ...rest }: EngineCase): EngineCase {
  return {
    ...rest,
    name: `${name}, streamed`,
    open: async () => {
      const opened = await open();
      streaming.add(opened.engine);
      return opened;
    },
  };
}
