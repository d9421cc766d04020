/** One whole job without evaluation: files on disk to theta* and the exact top m % of every task. */
import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { planGroup } from '@/plan/plan-group';
import {
  type CheckpointTensors,
  checkpointTensors,
  readFlatRange,
} from '@/tensor/checkpoint-tensors';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { planChunks } from '@/tensor/layout';
import { bytesPerElement } from '@/tensor/dtype';
import { readAhead } from '@/tensor/read-ahead';
import { linearMerge } from '@/tensor/merge-plan';
import { writeMergedFile } from './write-merged';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { selectOne } from '@/tensor/one-selection.fixture';

export interface JobOptions {
  readonly engine: Engine;
  /** Resolves once all that was asked of the engine so far is done. */
  readonly done: () => Promise<unknown>;
  /** Folder of base.safetensors and task-*.safetensors. */
  readonly group: string;
  /** λ of task arithmetic. */
  readonly coefficient: number;
  readonly keptPercent: number;
  /** Where theta* is written, beside; default: nowhere. */
  readonly mergedFile?: string;
}

/** @returns lines: seconds in all and by part, adapter, peak memory of the engine */
export async function runJob({
  engine,
  done,
  group,
  mergedFile,
  ...recipe
}: JobOptions): Promise<string> {
  let lapStart = performance.now();
  const lap = async (): Promise<number> => {
    await done();
    const before = lapStart;
    lapStart = performance.now();
    return (lapStart - before) / 1000;
  };
  const { weights, taskCount } = await load(engine, group);
  const reading = await lap();
  await weights.merge(linearMerge(Array<number>(taskCount).fill(recipe.coefficient)), 'F16');
  const merging = await lap();
  if (mergedFile !== undefined) await writeMergedFile(mergedFile, weights, 'F16');
  const writing = await lap();
  const kept = new Set<number>();
  for (let task = 0; task < taskCount; task++) {
    const selection = await selectOne(weights, 'merged', task, 'global', recipe.keptPercent);
    for await (const { tensor } of weights.encodeKept(selection, 'F16')) kept.add(tensor);
    selection.dispose();
  }
  const selecting = await lap();
  const { vendor, architecture, description, fallback } = engine.adapter;
  const { peakBytes } = engine.memory();
  const on =
    `Peru in Node on ${[vendor, architecture, description].filter(Boolean).join(', ')}` +
    (fallback ? ' (software)' : '');
  const total = reading + merging + selecting;
  const toFile = (reading + merging + writing).toFixed(1);
  return [
    `${on}: ${total.toFixed(1)} s in all: reading and upload ${reading.toFixed(2)}, merge ` +
      `${merging.toFixed(2)}, select, positions and values ${taskCount} x ` +
      `${(selecting / taskCount).toFixed(2)}; ${weights.layout.elementCount} parameters; peak of ` +
      `the engine ${(peakBytes / 1e9).toFixed(1)} GB`,
    ...(mergedFile === undefined
      ? []
      : [`${on}: ${toFile} s from files to a merged file, writing ${writing.toFixed(2)}`]),
  ].join('\n');
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
  const parts = chunks.flatMap((chunk) =>
    [base, ...tasks].map((file, checkpoint) => ({ chunk, file, checkpoint })),
  );
  // As the page reads (src/jobs/group/load-weights.ts).
  const reads = readAhead(parts, {
    bytesOf: ({ chunk, checkpoint }) =>
      chunk.elementCount * bytesPerElement(chunk.dtypes[checkpoint]!),
    windowBytes: 64 * 2 ** 20,
    read: ({ chunk, file }) => readFlatRange(file, layout, chunk.flatStart, chunk.elementCount),
    signal: new AbortController().signal,
  });
  for await (const { item, result } of reads) {
    weights.upload(item.checkpoint, item.chunk.index, result);
  }
  return { weights, taskCount: tasks.length };
}

async function openFile(path: string): Promise<CheckpointTensors> {
  const blob = await openAsBlob(path);
  return checkpointTensors(path, [{ blob, header: await readSafetensorsHeader(blob, path) }]);
}
