/**
 * Kept entries as bytes to write. Of a batch of chunks the kept bits are marked and counted block by
 * block, and the counts read back; then windows of blocks, as many as fit one readback, are packed
 * each where the blocks before it end. So nothing is read that is not written to the file, and
 * two hundred small tensors are one readback.
 *
 * Bytes an element in halves: 4 to mark, 3/8 of bits, up to 4 to pack (shaders/kept_write.wgsl), and
 * 3 a kept entry, written and then copied to be read. Dispatches for C chunks: 3 C and one more a window that begins inside a chunk.
 */
import { type BufferScope } from '@/gpu/buffers';
import { withErrorScopes } from '@/gpu/error-scopes';
import { type Kernel } from '@/gpu/pipelines';
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { bytesPerValue, type ValueDtype } from '@/tensor/dtype';
import { type EncodedTensor } from '@/tensor/engine';
import { BLOCK_PARTS } from '@/kernels/weights/blocks';
import { VALUE_CODES } from '@/kernels/weights/chunk-buffers';
import { EncodedTensors } from './encoded-tensors';
import { KEPT_WORDS, type PackedWindow, PLACE_WORDS, windowsOf } from './encode-windows';
import {
  deltaCheckpoints,
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import { keptScales, scaleBuffer } from './kept-scales';
import { type SelectionFacts } from './select';
import { KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { stagingBytes } from '@/kernels/weights/staging';

interface EncodeKernels {
  readonly mark: DeltaKernels;
  readonly count: Kernel;
  readonly write: DeltaKernels;
}

/** What the steps of one encoding share. */
interface Encoding {
  readonly context: GroupContext;
  readonly selection: SelectionFacts;
  readonly valueDtype: ValueDtype;
  readonly kernels: EncodeKernels;
  /** By chunk; where weights are streamed all have the same. */
  readonly bits: readonly GPUBuffer[];
  /** A record a block of the table. */
  readonly blockKept: GPUBuffer;
  readonly places: GPUBuffer;
  readonly encoded: GPUBuffer;
  readonly windowBytes: number;
  /** Of I8 values. */
  readonly scales: GPUBuffer | null;
}

/**
 * Every tensor that keeps any, in canonical order. I8 values take one more pass, for their steps.
 *
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`; what reading weights rejects with
 */
export async function* encodeSelection(
  context: GroupContext,
  selection: SelectionFacts,
  valueDtype: ValueDtype,
): AsyncGenerator<EncodedTensor> {
  const { handle } = context;
  const scales = valueDtype === 'I8' ? await keptScales(context, selection) : null;
  const kernels = await encodeKernels(context, selection, valueDtype);
  const scope = handle.buffers.scope();
  try {
    const encoding: Encoding = await withErrorScopes(handle, 'making room to encode', () => ({
      ...{ context, selection, valueDtype, kernels },
      ...encodeBuffers(context, scope),
      scales: scales && scaleBuffer(context, scope, scales),
    }));
    const tensors = new EncodedTensors(scales);
    for await (const chunkIndices of batches(context, selection)) {
      const counts = await countKept(encoding, chunkIndices);
      const { table } = context;
      const valueBytes = bytesPerValue(valueDtype);
      const { windowBytes } = encoding;
      for (const window of windowsOf(table, chunkIndices, counts, valueBytes, windowBytes)) {
        const bytes = await packWindow(encoding, window);
        for (const block of window.blocksOf(bytes)) yield* tensors.add(block);
      }
    }
    yield* tensors.finish();
  } catch (error) {
    scope.destroy();
    throw error;
  } finally {
    scope.release();
  }
}

async function encodeKernels(
  context: GroupContext,
  selection: SelectionFacts,
  valueDtype: ValueDtype,
): Promise<EncodeKernels> {
  const { tally } = context.counting;
  const write = valueDtype === 'I8' ? KERNELS.keptWriteI8 : KERNELS.keptWrite;
  const [marks, count, writes] = await Promise.all([
    deltaKernels(context, KERNELS.mask, selection),
    context.handle.pipelines.get(withBarriers(KERNELS.keptCount, tally)),
    deltaKernels(context, withBarriers(write, tally), selection),
  ]);
  return { mark: marks, count, write: writes };
}

/** Call inside `withErrorScopes`. Sizes and uses are those of other operations where they can be. */
function encodeBuffers({ maps, table, weights }: GroupContext, scope: BufferScope) {
  const read = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const cleared = read | GPUBufferUsage.COPY_DST;
  const bitBytes = maps.map(({ paddedCount }) => 4 * Math.ceil(paddedCount / 32));
  const create = (byteLength: number): GPUBuffer => scope.create('kept bits', byteLength, cleared);
  const shared = weights.streamed ? create(Math.max(0, ...bitBytes)) : null;
  const windowBytes = stagingBytes(maps);
  const written = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  return {
    bits: bitBytes.map((byteLength) => shared ?? create(byteLength)),
    blockKept: scope.create('kept by block', 4 * KEPT_WORDS * table.blockCount, read),
    places: scope.create('places of blocks', 4 * PLACE_WORDS * table.blockCount, written),
    encoded: scope.create('encoded entries', windowBytes, cleared),
    windowBytes,
  };
}

/** All chunks at once where their weights stay, else one after the other. */
async function* batches(
  { spec, weights }: GroupContext,
  selection: SelectionFacts,
): AsyncGenerator<readonly number[]> {
  if (!weights.streamed) yield spec.chunks.map(({ index }) => index);
  else for await (const index of weights.walk(deltaCheckpoints(selection))) yield [index];
}

/** Marks kept entries and counts them; one record a block of the chunks, in order. */
async function countKept(
  { context, selection, kernels, bits, blockKept }: Encoding,
  chunkIndices: readonly number[],
): Promise<Uint32Array> {
  const { handle, table, params } = context;
  const runs = chunkIndices.map((index) => table.ofChunk[index]!);
  const first = runs[0]?.first ?? 0;
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const [bytes] = await readBack(handle, 'counting kept entries', () => {
    const recorder = new PassRecorder(handle, 'count kept');
    for (const index of chunkIndices) recorder.clear(bits[index]!);
    for (const index of chunkIndices) {
      const run = table.ofChunk[index]!;
      const mark = kernels.mark(index);
      const delta = deltaResources(context, mark, selection, index);
      const marked = { ...delta, states: selection.states, kept_bits: bits[index]! };
      recorder.dispatch(mark, marked, BLOCK_PARTS * run.count);
      const values = { first_block: run.first, block_count: run.count };
      const counted = {
        params: params.get(kernels.count, values),
        blocks: context.blocks,
        kept_bits: bits[index]!,
        block_kept: blockKept,
      };
      recorder.dispatch(kernels.count, counted, run.count);
    }
    recorder.endPass();
    const each = 4 * KEPT_WORDS;
    const range = { offset: each * first, byteLength: each * count, room: each * table.blockCount };
    return { encoder: recorder.encoder, ranges: [{ source: blockKept, ...range }] };
  });
  return new Uint32Array(bytes!);
}

async function packWindow(encoding: Encoding, window: PackedWindow): Promise<ArrayBuffer> {
  const { context, selection, valueDtype, kernels, bits, places, encoded, scales } = encoding;
  const { handle } = context;
  const target = { value_dtype: VALUE_CODES[valueDtype], value_bytes: bytesPerValue(valueDtype) };
  const [bytes] = await readBack(handle, 'encoding kept entries', () => {
    const at = 4 * PLACE_WORDS * window.firstBlock;
    handle.device.queue.writeBuffer(places, at, window.places);
    const recorder = new PassRecorder(handle, 'encode');
    recorder.encoder.clearBuffer(encoded, 0, 4 * Math.ceil(window.byteLength / 4));
    for (const { chunkIndex, run } of window.runs) {
      const kernel = kernels.write(chunkIndex);
      const resources = {
        ...deltaResources(context, kernel, selection, chunkIndex, run),
        ...{ kept_bits: bits[chunkIndex]!, places, encoded },
        target_params: context.params.get(kernel, target, 'target_params'),
        ...(scales && { scales }),
      };
      recorder.dispatch(kernel, resources, run.count);
    }
    recorder.endPass();
    const range = { byteLength: window.byteLength, room: encoding.windowBytes };
    return { encoder: recorder.encoder, ranges: [{ source: encoded, ...range }] };
  });
  return bytes!;
}
