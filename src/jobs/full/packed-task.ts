/**
 * A task's kept entries as a packed file holds them: planned in one pass, which tells bytes and codebook,
 * and coded in another. Engines give positions and values; what is added when a model is scored is decoded
 * from the very bytes that would be written.
 */
import { GapReader } from '@/codecs/gap-reader';
import { type PackedFormat } from '@/codecs/packed/packed-format';
import { type PackedPlan, PackedPlanning } from '@/codecs/packed/packed-plan';
import {
  type CodedTensor,
  codeTensor,
  decodeTensor,
  type KeptEntries,
  withoutZeros,
} from '@/codecs/packed/tensor-code';
import { invariantError } from '@/core/errors';
import { type AddedEntries, type EncodedTensor, type Selection } from '@/tensor/engine';
import { decodeFloats } from '@/tensor/half';
import { type FlatLayout } from '@/tensor/layout';
import { type FullJob } from './full-job';

/** Its index in the layout, and its blocks. */
export interface CodedOf {
  readonly tensor: number;
  readonly coded: CodedTensor;
}

/** One pass over the task's weights. */
export async function planPacked(
  { group: { weights }, signal }: FullJob,
  selection: Selection,
  format: PackedFormat,
): Promise<PackedPlan> {
  const planning = new PackedPlanning(format);
  for await (const encoded of weights.encodeKept(selection, 'F32')) {
    signal.throwIfAborted();
    const { name } = weights.layout.tensors[encoded.tensor]!;
    planning.add(name, keptEntries(encoded, weights.layout));
  }
  return planning.plan();
}

/**
 * Tensor by tensor, those that keep any. One pass over the task's weights; where the norm is restored, one
 * more before it.
 */
export async function* codeTask(
  { group: { weights }, signal }: FullJob,
  selection: Selection,
  plan: PackedPlan,
  rescaled: boolean,
): AsyncGenerator<CodedOf> {
  for await (const encoded of weights.encodeKept(selection, 'F32', rescaled)) {
    signal.throwIfAborted();
    const entries = keptEntries(encoded, weights.layout);
    if (entries.values.length === 0) continue;
    yield { tensor: encoded.tensor, coded: codeTensor(entries, plan, encoded.gain) };
  }
}

/** What a loader adds. */
export function* decodedEntries(
  coded: readonly CodedOf[],
  plan: PackedPlan,
  { tensors }: FlatLayout,
): Generator<AddedEntries> {
  for (const { tensor, coded: own } of coded) {
    const entries = decodeTensor(own, plan, tensors[tensor]!.elementCount);
    if (entries === null) {
      throw invariantError(`"${tensors[tensor]!.name}" was coded as what can not be decoded.`);
    }
    yield { tensor, ...entries };
  }
}

function keptEntries(
  { tensor, kept, gaps, values }: EncodedTensor,
  { tensors }: FlatLayout,
): KeptEntries {
  const positions = new Uint32Array(kept);
  new GapReader(tensors[tensor]!.elementCount).read(gaps, positions);
  return withoutZeros({ positions, values: decodeFloats(values, 'F32') });
}
