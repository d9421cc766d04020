/** Float32 weights of whole models, in memory; and theta* as it is stored. */
import { invariantError } from '@/core/errors';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type ModelWeights, type WeightsOf } from '@/tensor/engine';
import { addEntries } from '@/codecs/add-entries';
import { chunkPieces } from '@/tensor/pieces';
import { partOf } from '../parts/blocks';
import {
  assertCenter,
  checkpointsOf,
  type GroupContext,
  type SelectionFacts,
} from '../weights/group-context';
import { askEachChunk, type Thread } from './each-chunk';
import { storedAs } from './kept-entries';

type Added = Extract<WeightsOf, { kind: 'added' }>;

/** What to lay out, with a selection's facts in place of the selection. */
export type Laid =
  | Exclude<WeightsOf, { kind: 'sparse' }>
  | (Omit<Extract<WeightsOf, { kind: 'sparse' }>, 'selection'> & {
      readonly selection: SelectionFacts;
    });

/** One pass over what the weights are made of; I8 values take one more, for their steps. */
export async function layWeights(context: GroupContext, laid: Laid): Promise<ModelWeights> {
  const { spec, shares } = context;
  const plain = laid.kind === 'added' ? { kind: laid.center } : laid;
  const { ask, checkpoints } = await askFor(context, plain);
  const flat = spec.layout.tensors.map(({ elementCount }) => new Float32Array(elementCount));
  const pieces = chunkPieces(spec.layout, spec.chunks);
  for await (const { chunk, parts } of askEachChunk(context, checkpoints, ask)) {
    parts.forEach((values, part) => {
      const range = partOf(spec.chunks[chunk]!, shares[part]!);
      for (const { tensor, chunkStart, tensorStart, elementCount } of pieces[chunk]!) {
        const start = Math.max(range.start, chunkStart);
        const end = Math.min(range.end, chunkStart + elementCount);
        if (start >= end) continue;
        const own = values.subarray(start - range.start, end - range.start);
        flat[tensor]!.set(own, tensorStart + start - chunkStart);
      }
    });
  }
  if (laid.kind === 'added') addEntries(flat, laid.entries);
  const tensors = new Map(
    spec.layout.tensors.map(({ name, shape }, i) => [name, { shape, data: flat[i]! }]),
  );
  return { tensors, dispose: () => undefined };
}

async function askFor(context: GroupContext, laid: Exclude<Laid, Added>) {
  const { id } = context;
  if (laid.kind === 'sparse') {
    const { of, thresholds } = laid.selection;
    const stored = await storedAs(context, laid.selection, laid);
    const ask = (thread: Thread, chunk: number): Promise<Float32Array> =>
      thread.laySparse(id, chunk, of, thresholds, stored);
    return { ask, checkpoints: checkpointsOf(of) };
  }
  if (laid.kind === 'merged') assertCenter(context, 'merged');
  const checkpoint = { base: 0, merged: null, task: laid.kind === 'task' ? laid.task + 1 : null }[
    laid.kind
  ];
  const ask = (thread: Thread, chunk: number): Promise<Float32Array> =>
    thread.layPlain(id, chunk, checkpoint);
  return { ask, checkpoints: checkpoint === null ? [] : [checkpoint] };
}

/**
 * Elements [flatStart, flatStart + elementCount) of theta*, little-endian.
 *
 * @throws PeruError `internal` before any merge, or when the range does not lie inside one tensor
 */
export async function readMergedBytes(
  context: GroupContext,
  flatStart: number,
  elementCount: number,
  dtype: FloatDtype,
): Promise<Uint8Array<ArrayBuffer>> {
  const { crew, id, shares, spec } = context;
  assertCenter(context, 'merged');
  const flatEnd = flatStart + elementCount;
  const isInside = spec.layout.tensors.some(
    (span) => flatStart >= span.flatStart && flatEnd <= span.flatStart + span.elementCount,
  );
  if (!isInside || !(elementCount >= 0)) {
    throw invariantError(`Elements ${flatStart} to ${flatEnd} do not lie inside one tensor.`);
  }
  const each = bytesPerElement(dtype);
  const bytes = new Uint8Array(each * elementCount);
  for (const chunk of spec.chunks) {
    for (const [part, share] of shares.entries()) {
      const range = partOf(chunk, share);
      const first = chunk.flatStart + range.start;
      const from = Math.max(flatStart, first);
      const to = Math.min(flatEnd, chunk.flatStart + range.end);
      if (from >= to) continue;
      const own = await crew.askOne(part, (thread) =>
        thread.readMerged(id, chunk.index, from - first, to - first),
      );
      bytes.set(own, each * (from - flatStart));
    }
  }
  return bytes;
}
