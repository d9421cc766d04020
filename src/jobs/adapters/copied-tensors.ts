/** Full copies that adapters bring along: biases, heads and what else `modules_to_save` names. */
import { type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { type Engine, type ModelWeights } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { flatLayout } from '@/tensor/layout';
import { type MergePlan } from '@/tensor/merge-plan';
import { readRange } from '@/tensor/safetensors';
import { uploadCheckpoints, type UploadOptions } from '@/jobs/group/load-weights';
import { floatWeights } from '@/jobs/group/float-weights';

const NONE: ModelWeights = { tensors: new Map(), dispose: () => undefined };

/** A task's own copies as float32 weights, by the base's names where it has them. */
export async function copiesOf(
  engine: Engine,
  { name, replaced, own }: PlannedAdapter,
  location: 'cpu' | 'gpu',
  options: UploadOptions,
): Promise<ModelWeights> {
  const tensors = new Map(replaced);
  for (const { tensor } of own) tensors.set(tensor.name, tensor);
  if (tensors.size === 0) return NONE;
  return floatWeights(engine, { name, tensors, byteLength: 0 }, location, options);
}

/**
 * Looks for NaN and Inf in every task's copies, before anything is made of them.
 *
 * @throws PeruError `non-finite` naming adapter, tensors and counts, unless allowed
 */
export async function checkCopies(
  engine: Engine,
  adapters: readonly PlannedAdapter[],
  options: UploadOptions,
): Promise<void> {
  if (options.allowNonFinite) return;
  for (const adapter of adapters) (await copiesOf(engine, adapter, 'cpu', options)).dispose();
}

/** Bytes compared at a time. */
const PIECE_BYTES = 4 * 2 ** 20;

/**
 * Holds adapters to what they say of tied tables: that the head's is the embedding's.
 *
 * @throws PeruError `mismatch` where the two differ, `source` when the file can not be read
 */
export async function checkTiedCopies(
  adapters: readonly PlannedAdapter[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name, copies, tied } of adapters) {
    for (const { path, embedding } of tied) {
      const isAlike = await hasSameBytes(copies.get(path)!, copies.get(embedding)!, signal);
      if (!isAlike) throw notTied(name, path, embedding);
    }
  }
}

async function hasSameBytes(
  a: StoredTensor,
  b: StoredTensor,
  signal: AbortSignal,
): Promise<boolean> {
  if (a.dtype !== b.dtype || a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at += PIECE_BYTES) {
    const end = Math.min(at + PIECE_BYTES, a.byteLength);
    const [one, other] = await Promise.all(
      [a, b].map(({ source, byteStart, fileName }) =>
        readRange(source, byteStart + at, byteStart + end, fileName, signal),
      ),
    );
    if (!one!.every((byte, i) => byte === other![i])) return false;
  }
  return true;
}

function notTied(adapter: string, head: string, embedding: string): PeruError {
  return new PeruError(
    'mismatch',
    `${adapter} sets ensure_weight_tying, but its "${head}" is not its "${embedding}": which of the two the model uses can not be told.`,
    'Set ensure_weight_tying to false in its adapter_config.json, and the head is kept as the task’s own; or save the adapter again.',
  );
}

/** The copies merged as full weights are; a task without a copy of a tensor stands at the base's. */
export async function mergedCopies(
  engine: Engine,
  group: {
    readonly base: CheckpointTensors;
    readonly adapters: readonly PlannedAdapter[];
    readonly names: readonly string[];
    readonly mergePlan: MergePlan;
  },
  location: 'cpu' | 'gpu',
  options: UploadOptions,
): Promise<ModelWeights> {
  const { base, adapters, names, mergePlan } = group;
  if (names.length === 0) return NONE;
  const own = (replaced: ReadonlyMap<string, StoredTensor>, name: string): StoredTensor => {
    const tensor = replaced.get(name) ?? base.tensors.get(name);
    if (tensor === undefined) throw new RangeError(`${base.name} has no tensor "${name}".`);
    return tensor;
  };
  const copies = [{ name: base.name, replaced: base.tensors }, ...adapters];
  const checkpoints = copies.map(({ name: from, replaced }): CheckpointTensors => {
    const tensors = new Map(names.map((name) => [name, own(replaced, name)] as const));
    return { name: from, tensors, byteLength: 0 };
  });
  const stored = checkpoints.flatMap(({ tensors }) => [...tensors.values()]);
  const spec = {
    layout: flatLayout(names.map((name) => ({ name, shape: own(base.tensors, name).shape }))),
    uploadBytes: stored.reduce((sum, { byteLength }) => sum + byteLength, 0),
    dtypeOf: (index: number, name: string) => {
      const dtype = checkpoints[index]?.tensors.get(name)?.dtype;
      if (dtype === undefined || !isFloatDtype(dtype))
        throw new RangeError(`"${name}" has no floats.`);
      return dtype;
    },
    checkpoints,
  };
  const weights = await uploadCheckpoints(engine, spec, options);
  try {
    await weights.merge(mergePlan, 'F32');
    return await weights.materialize({ kind: 'merged' }, location);
  } finally {
    weights.dispose();
  }
}
