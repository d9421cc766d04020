/** One whole job without evaluation: files on disk to theta* and the exact top m % of every task. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileBytes } from '../../src/platform/node/file-bytes';
import { planGroup } from '@/plan/plan-group';
import {
  type CheckpointTensors,
  checkpointTensors,
  readFlatRange,
} from '@/tensor/checkpoint-tensors';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { type Chunk, planChunks } from '@/tensor/layout';
import { bytesPerElement } from '@/tensor/dtype';
import { readAhead } from '@/tensor/read-ahead';
import { linearMerge } from '@/tensor/merge-plan';
import { writeMergedFile } from './write-merged';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { selectOne } from '@/tensor/one-selection.fixture';
import { type JobFacts } from './job-facts';

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
  /** Weights are read as they are needed, and so many bytes held at most; default: all are held. */
  readonly budgetBytes?: number;
}

export async function runJob({
  engine,
  done,
  group,
  mergedFile,
  budgetBytes,
  ...recipe
}: JobOptions): Promise<JobFacts> {
  let lapStart = performance.now();
  const lap = async (): Promise<number> => {
    await done();
    const before = lapStart;
    lapStart = performance.now();
    return (lapStart - before) / 1000;
  };
  const { weights, taskCount, files } = await load(engine, group, budgetBytes);
  const readSeconds = await lap();
  await weights.merge(linearMerge(Array<number>(taskCount).fill(recipe.coefficient)), 'F16');
  const mergeSeconds = await lap();
  if (mergedFile !== undefined) await writeMergedFile(mergedFile, weights, 'F16');
  const writing = await lap();
  const kept = new Set<number>();
  for (let task = 0; task < taskCount; task++) {
    const selection = await selectOne(weights, 'merged', task, 'global', recipe.keptPercent);
    for await (const { tensor } of weights.encodeKept(selection, 'F16')) kept.add(tensor);
    selection.dispose();
  }
  const selectSeconds = await lap();
  await Promise.all(files.map((file) => file.close()));
  return {
    adapter: engine.adapter,
    parameters: weights.layout.elementCount,
    tasks: taskCount,
    ...{ readSeconds, mergeSeconds, selectSeconds },
    writeSeconds: mergedFile === undefined ? null : writing,
    enginePeakBytes: engine.memory().peakBytes,
  };
}

interface Loaded {
  readonly files: readonly FileBytes[];
  readonly weights: WeightGroup;
  readonly taskCount: number;
}

async function load(engine: Engine, group: string, budgetBytes?: number): Promise<Loaded> {
  const names = (await readdir(group)).filter((name) => name.startsWith('task-')).sort();
  const paths = ['base.safetensors', ...names].map((name) => join(group, name));
  const files = await Promise.all(paths.map((path) => FileBytes.open(path)));
  const [base, ...tasks] = await Promise.all(files.map((file, i) => tensorsOf(file, paths[i]!)));
  if (base === undefined) throw new Error(`${group} holds no base.`);
  const { layout, dtypeOf } = planGroup({ base, tasks });
  const maxElements = engine.maxChunkElements(tasks.length);
  const chunks = planChunks(layout, tasks.length + 1, dtypeOf, maxElements);
  const read = ({ chunk, file }: { chunk: Chunk; file: CheckpointTensors }) =>
    readFlatRange(file, layout, chunk.flatStart, chunk.elementCount);
  const shape = { layout, chunks, taskCount: tasks.length };
  if (budgetBytes !== undefined) {
    const all = [base, ...tasks];
    const streamed = {
      budgetBytes,
      read: (checkpoint: number, chunk: number) =>
        read({ chunk: chunks[chunk]!, file: all[checkpoint]! }),
    };
    return { weights: engine.createGroup({ ...shape, streamed }), taskCount: tasks.length, files };
  }
  const weights = engine.createGroup(shape);
  const parts = chunks.flatMap((chunk) =>
    [base, ...tasks].map((file, checkpoint) => ({ chunk, file, checkpoint })),
  );
  // As the page reads (src/jobs/group/load-weights.ts).
  const reads = readAhead(parts, {
    bytesOf: ({ chunk, checkpoint }) =>
      chunk.elementCount * bytesPerElement(chunk.dtypes[checkpoint]!),
    windowBytes: 64 * 2 ** 20,
    read,
    signal: new AbortController().signal,
  });
  for await (const { item, result } of reads) {
    weights.upload(item.checkpoint, item.chunk.index, result);
  }
  return { weights, taskCount: tasks.length, files };
}

async function tensorsOf(blob: FileBytes, path: string): Promise<CheckpointTensors> {
  return checkpointTensors(path, [{ blob, header: await readSafetensorsHeader(blob, path) }]);
}
