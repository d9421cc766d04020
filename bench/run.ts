/**
 * Times the kernels of the main job against a copy of the same bytes, on the same adapter in the
 * same run. The same code runs in a browser and in Node through Dawn.
 */
import { openDevice } from '@/gpu/device';
import { createGpuEngine } from '@/kernels/engine';
import { medianSeconds, clockOn } from './clock';
import { prepareCopy } from './copy';
import { benchGroup } from './group';
import { VIT_B_32, VIT_QUICK } from './vit-shapes';

const TASKS = 8;
const KEPT_PERCENT = 10;
const OTHER_PERCENT = 5;
const F16_BYTES = 2;
const F32_BYTES = 4;

export interface BenchOptions {
  readonly quick: boolean;
  readonly gpu?: GPU;
  readonly print: (line: string) => void;
}

interface Pass {
  readonly name: string;
  /** Bytes the kernels read and write, an element. */
  readonly bytesPerElement: number;
  readonly before?: () => Promise<void>;
  readonly work: () => Promise<void>;
}

/** Runs every measurement and prints one line each. */
export async function runBench({ quick, gpu, print }: BenchOptions): Promise<void> {
  const handle = await openDevice(gpu ? { gpu } : {});
  const engine = createGpuEngine(handle);
  const clock = clockOn(handle);
  const runs = quick ? 7 : 5;
  const { group, layout, chunks } = benchGroup(engine, quick ? VIT_QUICK : VIT_B_32, TASKS);
  const { vendor, architecture, description, fallback } = engine.adapter;
  print(
    `adapter: ${[vendor, architecture, description].filter(Boolean).join(', ')}` +
      (fallback ? ' (software: ratios say little, times nothing)' : ''),
  );
  print(
    `${layout.elementCount} parameters in ${layout.tensors.length} tensors, ${TASKS} tasks, F16, ` +
      `${chunks.length} chunks; median of ${runs}; clock: ${clock.kind}`,
  );
  print(row('pass', 'MB moved', 'ms', 'copy ms', 'ratio', 'GB/s'));
  for (const pass of await passesOf(group)) {
    const bytes = pass.bytesPerElement * layout.elementCount;
    const seconds = await medianSeconds(clock, runs, pass.work, pass.before);
    const copy = await prepareCopy(handle, bytes);
    const copySeconds = await medianSeconds(clock, runs, copy.work);
    copy.release();
    print(
      row(
        pass.name,
        (bytes / 1e6).toFixed(1),
        (1e3 * seconds).toFixed(2),
        (1e3 * copySeconds).toFixed(2),
        (seconds / copySeconds).toFixed(2),
        (bytes / seconds / 1e9).toFixed(2),
      ),
    );
  }
  const { peakBytes } = engine.memory();
  print(`peak GPU memory: ${(peakBytes / 1e6).toFixed(1)} MB`);
  engine.dispose();
}

type Group = ReturnType<typeof benchGroup>['group'];

async function passesOf(group: Group): Promise<Pass[]> {
  const coefficients = Array.from({ length: TASKS }, () => 1 / TASKS);
  const merge = (): Promise<void> => group.merge(coefficients, 'F16');
  const select = async (percent: number): Promise<void> => {
    (await group.select('merged', 0, 'global', percent)).dispose();
  };
  await merge();
  const apply = async (): Promise<void> => {
    const weights = { kind: 'sparse', selection, valueDtype: 'F16' } as const;
    (await group.materialize(weights, 'gpu')).dispose();
  };
  let selection = await group.select('merged', 0, 'global', KEPT_PERCENT);
  const pair = 2 * F16_BYTES; // theta* and theta_t
  return [
    { name: 'merge', bytesPerElement: (TASKS + 2) * F16_BYTES, work: merge },
    // A merge drops the histograms, so that the next selection counts all three digits.
    {
      name: 'select, all passes',
      bytesPerElement: 3 * pair,
      before: merge,
      work: () => select(KEPT_PERCENT),
    },
    {
      name: 'select, slider moved',
      bytesPerElement: 2 * pair,
      before: () => select(KEPT_PERCENT),
      work: () => select(OTHER_PERCENT),
    },
    {
      name: 'apply',
      bytesPerElement: pair + F32_BYTES,
      before: async () => {
        selection.dispose();
        selection = await group.select('merged', 0, 'global', KEPT_PERCENT);
      },
      work: apply,
    },
  ];
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(22) + cells.map((cell) => cell.padStart(10)).join('');
}
