/** A fixture Hub with groups of CLIP towers at their true size, made on the fly. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClipName, clipFiles, clipTensors } from '../../e2e/fixture-hub/clip-repo';
import { type FixtureFile, repoOf } from '../../e2e/fixture-hub/content';
import { startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';

/** Most fine-tunes a group has here: the paper's eight tasks. */
const MOST_TASKS = 8;
const SEED = 7;
const BYTES_PER_ELEMENT = 2;
const WRITE_BYTES = 64 * 2 ** 20;

export interface ScaleGroup {
  readonly base: string;
  readonly tasks: readonly string[];
  /** Bytes of the tensors that are merged, of base and tasks. */
  readonly neededBytes: number;
  /** Writes the towers as files, for programs that read those. */
  writeTo(folder: string): Promise<void>;
}

/** Serves a base and eight fine-tunes of each shape, vision towers in F16. */
export async function startScaleHub(shapes: readonly ClipName[]) {
  const hub = await startFixtureHub({
    repos: shapes.flatMap((shape) =>
      Array.from({ length: MOST_TASKS + 1 }, (_, task) => {
        return repoOf(nameOf(shape, task), files(shape, task));
      }),
    ),
  });
  return { hub, group: (shape: ClipName, taskCount: number) => groupOf(shape, taskCount) };
}

function nameOf(shape: ClipName, task: number): string {
  return task === 0 ? `scale/${shape}` : `scale/${shape}_${task}`;
}

function files(shape: ClipName, task: number) {
  return clipFiles({ shape, parts: 'vision', dtype: 'F16', seed: SEED, task });
}

function groupOf(shape: ClipName, taskCount: number): ScaleGroup {
  const elements = clipTensors(shape, 'vision').reduce(
    (sum, tensor) => sum + tensor.shape.reduce((product, size) => product * size, 1),
    0,
  );
  const numbers = Array.from({ length: taskCount }, (_, t) => t + 1);
  return {
    base: nameOf(shape, 0),
    tasks: numbers.map((task) => nameOf(shape, task)),
    neededBytes: BYTES_PER_ELEMENT * elements * (taskCount + 1),
    writeTo: async (folder) => {
      for (const task of [0, ...numbers]) {
        const name = task === 0 ? 'base' : `task-${task}`;
        const weights = files(shape, task).get('model.safetensors')!;
        await write(weights, join(folder, `${name}.safetensors`));
      }
    },
  };
}

async function write(from: FixtureFile, path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < from.size; at += WRITE_BYTES) {
      await file.write(await from.read(at, Math.min(from.size, at + WRITE_BYTES)));
    }
  } finally {
    await file.close();
  }
}
