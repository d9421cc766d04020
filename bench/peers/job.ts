/** One whole job without evaluation: files on disk to theta* and the exact top m % of every task. */
import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDevice } from '@/gpu/device';
import { createGpuEngine, warmUpKernels } from '@/kernels/engine';
import { planGroup } from '@/plan/plan-group';
import {
  type CheckpointTensors,
  checkpointTensors,
  readFlatRange,
} from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { planChunks } from '@/tensor/layout';
import { linearMerge } from '@/tensor/merge-plan';
import { readSafetensorsHeader } from '@/tensor/safetensors';

/** make_models.py writes a base and eight fine-tunes, all in F16. */
const TASKS = 8;

export interface JobOptions {
  readonly gpu: GPU;
  /** Folder of base.safetensors and task-*.safetensors. */
  readonly group: string;
  /** λ of task arithmetic. */
  readonly coefficient: number;
  readonly keptPercent: number;
}

/**
 * Kernels are compiled before the clock starts: the page does it while files arrive, and torch is
 * timed without its import.
 *
 * @returns one line: seconds in all and by part, adapter, peak memory of the adapter
 */
export async function runJob({ gpu, group, ...recipe }: JobOptions): Promise<string> {
  const handle = await openDevice({ gpu });
  await warmUpKernels(handle, [Array<FloatDtype>(TASKS + 1).fill('F16')]);
  const engine = createGpuEngine(handle);
  let lapStart = performance.now();
  const lap = async (): Promise<number> => {
    await handle.device.queue.onSubmittedWorkDone();
    const before = lapStart;
    lapStart = performance.now();
    return (lapStart - before) / 1000;
  };
  const { weights, taskCount } = await load(engine, group);
  const reading = await lap();
  await weights.merge(linearMerge(Array<number>(taskCount).fill(recipe.coefficient)), 'F16');
  const merging = await lap();
  for (let task = 0; task < taskCount; task++) {
    const selection = await weights.select('merged', task, 'global', recipe.keptPercent);
    await weights.keptMask(selection);
    selection.dispose();
  }
  const selecting = await lap();
  const { vendor, architecture, description, fallback } = engine.adapter;
  const { peakBytes } = engine.memory();
  return (
    `Peru in Node on ${[vendor, architecture, description].filter(Boolean).join(', ')}` +
    `${fallback ? ' (software)' : ''}: ${(reading + merging + selecting).toFixed(1)} s in all: ` +
    `reading and upload ${reading.toFixed(2)}, merge ${merging.toFixed(2)}, select with kept ` +
    `positions as bits ${taskCount} x ${(selecting / taskCount).toFixed(2)}; ` +
    `${weights.layout.elementCount} parameters; peak on the adapter ${(peakBytes / 1e9).toFixed(1)} GB`
  );
}

interface Loaded {
  readonly weights: WeightGroup;
  readonly taskCount: number;
}

async function load(engine: Engine, group: string): Promise<Loaded> {
  const names = (await readdir(group)).filter((name) => name.startsWith('task-')).sort();
  const base = await openFile(join(group, 'base.safetensors'));
  const tasks = await Promise.all(names.map((name) => openFile(join(group, name))));
  const { layout, dtypeOf } = planGroup({ base, tasks });
  const maxElements = engine.maxChunkElements(tasks.length);
  const chunks = planChunks(layout, tasks.length + 1, dtypeOf, maxElements);
  const weights = engine.createGroup({ layout, chunks, taskCount: tasks.length });
  for (const { index, flatStart, elementCount } of chunks) {
    for (const [checkpoint, file] of [base, ...tasks].entries()) {
      weights.upload(checkpoint, index, await readFlatRange(file, layout, flatStart, elementCount));
    }
  }
  return { weights, taskCount: tasks.length };
}

async function openFile(path: string): Promise<CheckpointTensors> {
  const blob = await openAsBlob(path);
  return checkpointTensors(path, [{ blob, header: await readSafetensorsHeader(blob, path) }]);
}
