/**
 * Times the kernels of the main job against a copy of the same bytes, in turn, on the same adapter
 * in the same run. The same code runs in a browser and in Node through Dawn.
 */
import { openDevice } from '@/gpu/device';
import { createGpuEngine } from '@/kernels/engine';
import { type Selection } from '@/tensor/engine';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne } from '@/tensor/one-selection.fixture';
import { clockOn } from './clock';
import { prepareCopy } from './copy';
import { benchGroup } from './group';
import { benchPacked } from './packed';
import { comparePairs, type Timed } from './pairs';
import { type BenchOutput } from './record';
import { benchSvd } from './svd';
import { tieElements } from './ties';
import { VIT_B_32, VIT_QUICK } from './vit-shapes';

const TASKS = 8;
const KEPT_PERCENT = 10;
const OTHER_PERCENT = 5;
const F16_BYTES = 2;
const F32_BYTES = 4;
/** Shares at which entries are encoded, and what a kept one takes: an F16 value and its gap. */
const ENCODED_PERCENTS = [1, 5, 10];
const ENTRY_BYTES = F16_BYTES + 1;
/** Bytes an element of kept bits, written and read twice. */
const BIT_BYTES = 3 / 8;
/** Elements that kernels read together. */
const UNIT_ELEMENTS = 8;
/** Bytes an element of one read of theta* and theta_t. */
const PAIR_BYTES = 2 * F16_BYTES;

export interface BenchOptions extends BenchOutput {
  readonly quick: boolean;
  /** Who runs it, for records. */
  readonly host: 'dawn' | 'browser';
  readonly gpu?: GPU;
}

interface Pass extends Timed {
  readonly name: string;
  /**
   * Bytes of weights that the kernels read and write, an element, unless ties are cut. Counts are
   * left out: the 8 MiB that a selection clears and sums have no part in the copy either.
   */
  readonly bytesPerElement: number;
  /** Of a selection: what it keeps, and so how much it reads once more to cut ties. */
  readonly percent?: number;
}

/** Runs every measurement and prints one line each. */
export async function runBench({ quick, host, gpu, print, record }: BenchOptions): Promise<void> {
  const handle = await openDevice(gpu ? { gpu } : {});
  const engine = createGpuEngine(handle);
  const clock = clockOn(handle);
  const pairs = quick ? 7 : 5;
  const { group, layout, chunks } = benchGroup(engine, quick ? VIT_QUICK : VIT_B_32, TASKS);
  const { vendor, architecture, description, fallback } = engine.adapter;
  const adapter = [vendor, architecture, description].filter(Boolean).join(', ');
  const on = { host, adapter, software: fallback, clock: clock.kind };
  print(`adapter: ${adapter}` + (fallback ? ' (software: ratios say little, times nothing)' : ''));
  print(
    `${layout.elementCount} parameters in ${layout.tensors.length} tensors, ${TASKS} tasks, F16, ` +
      `${chunks.length} chunks; median of ${pairs} pairs; clock: ${clock.kind}`,
  );
  const passes = await passesOf(group);
  for (const { before, work } of passes) {
    await before?.();
    await work();
  }
  const { peakBytes } = engine.memory(); // before the copies take theirs
  print(row('pass', 'MB moved', 'ms', 'copy ms', 'ratio', 'GB/s'));
  for (const pass of passes) {
    const { percent } = pass;
    const ties = percent === undefined ? 0 : await tieElements(group, chunks, 0, percent);
    const bytes = pass.bytesPerElement * layout.elementCount + PAIR_BYTES * ties;
    const copy = await prepareCopy(handle, bytes);
    const { seconds, yardstickSeconds, ratio } = await comparePairs(clock, pairs, pass, copy);
    copy.release();
    const name = pass.name + (ties > 0 ? ', ties cut' : '');
    const figures = { parameters: layout.elementCount, tasks: TASKS, pass: name, bytes };
    record('kernel', { ...on, ...figures, seconds, copySeconds: yardstickSeconds, ratio });
    print(
      row(
        name,
        (bytes / 1e6).toFixed(1),
        (1e3 * seconds).toFixed(2),
        (1e3 * yardstickSeconds).toFixed(2),
        ratio.toFixed(2),
        (bytes / seconds / 1e9).toFixed(2),
      ),
    );
  }
  print(`peak GPU memory: ${(peakBytes / 1e6).toFixed(1)} MB`);
  record('memory', { ...on, peakBytes });
  group.dispose();
  benchPacked({
    print,
    record: (name, figures) => {
      record(name, { host, ...figures });
    },
  });
  await benchSvd({
    handle,
    engine,
    quick,
    print,
    record: (name, f) => {
      record(name, { ...on, ...f });
    },
  });
  engine.dispose();
}

type Group = ReturnType<typeof benchGroup>['group'];

async function passesOf(group: Group): Promise<Pass[]> {
  const coefficients = Array.from({ length: TASKS }, () => 1 / TASKS);
  const merge = (): Promise<void> => group.merge(linearMerge(coefficients), 'F16');
  const select = async (percent: number): Promise<void> => {
    (await selectOne(group, 'merged', 0, 'global', percent)).dispose();
  };
  await merge();
  const apply = async (): Promise<void> => {
    const weights = { kind: 'sparse', selection, valueDtype: 'F16' } as const;
    (await group.materialize(weights, 'gpu')).dispose();
  };
  let selection = await selectOne(group, 'merged', 0, 'global', KEPT_PERCENT);
  return [
    { name: 'merge', bytesPerElement: (TASKS + 2) * F16_BYTES, work: merge },
    // A merge drops the histograms, so that the next selection counts the first digit too.
    {
      name: 'select, all passes',
      bytesPerElement: 2 * PAIR_BYTES,
      percent: KEPT_PERCENT,
      before: merge,
      work: () => select(KEPT_PERCENT),
    },
    {
      name: 'select, slider moved',
      bytesPerElement: PAIR_BYTES,
      percent: OTHER_PERCENT,
      before: () => select(KEPT_PERCENT),
      work: () => select(OTHER_PERCENT),
    },
    {
      name: 'apply',
      bytesPerElement: PAIR_BYTES + F32_BYTES,
      before: async () => {
        selection.dispose();
        selection = await selectOne(group, 'merged', 0, 'global', KEPT_PERCENT);
      },
      work: apply,
    },
    ...ENCODED_PERCENTS.map((percent) => encodePass(group, percent)),
  ];
}

/** Marks, counts and packs kept entries; of theta* and theta_t it reads again the units that keep any. */
function encodePass(group: Group, percent: number): Pass {
  const share = percent / 100;
  const read = PAIR_BYTES * (2 - (1 - share) ** UNIT_ELEMENTS);
  let selection: Selection | null = null;
  return {
    name: `encode, ${percent} %`,
    bytesPerElement: read + BIT_BYTES + ENTRY_BYTES * share,
    before: async () => {
      selection?.dispose();
      selection = await selectOne(group, 'merged', 0, 'global', percent);
    },
    work: async () => {
      let kept = 0;
      for await (const tensor of group.encodeKept(selection!, 'F16')) kept += tensor.kept;
      if (kept !== selection!.keptPerScope[0]) throw new Error(`${kept} entries were encoded.`);
    },
  };
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(32) + cells.map((cell) => cell.padStart(10)).join('');
}
