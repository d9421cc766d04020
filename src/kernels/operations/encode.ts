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
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type ValueDtype } from '@/tensor/dtype';
import { type EncodedTensor } from '@/tensor/engine';
import { valueCode } from '@/kernels/weights/chunk-buffers';
import { EncodedTensors } from './encoded-tensors';
import { type PackedWindow, PLACE_WORDS, windowsOf } from './encode-windows';
import {
  type DeltaKernels,
  deltaKernels,
  deltaResources,
  type GroupContext,
} from '@/kernels/weights/group-context';
import {
  bitBuffers,
  blockKeptBuffer,
  countKept,
  markedBatches,
  type Marking,
  markingKernels,
} from './marking';
import { keptScales, scaleBuffer, type StoredValues } from './kept-scales';
import { type SelectionFacts } from './select';
import { VALUE_KERNELS, withBarriers } from '@/kernels/weights/wgsl';
import { stagingBytes } from '@/kernels/weights/staging';

/** What the steps of one encoding share. */
interface Encoding extends Marking {
  readonly valueDtype: ValueDtype;
  readonly write: DeltaKernels;
  readonly places: GPUBuffer;
  readonly encoded: GPUBuffer;
  readonly windowBytes: number;
  /** Null where values have none. */
  readonly scales: GPUBuffer | null;
}

/**
 * Every tensor that keeps any, in canonical order. Values with steps, or rescaled, take one more pass.
 *
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`; what reading weights rejects with
 */
export async function* encodeSelection(
  context: GroupContext,
  selection: SelectionFacts,
  { valueDtype, rescaled }: StoredValues,
): AsyncGenerator<EncodedTensor> {
  const { handle } = context;
  const kept = await keptScales(context, selection, { valueDtype, rescaled });
  const { scales } = kept;
  const [marking, write] = await Promise.all([
    markingKernels(context, selection),
    writeKernels(context, selection, valueDtype),
  ]);
  const scope = handle.buffers.scope();
  try {
    const encoding: Encoding = await withErrorScopes(handle, 'making room to encode', () => ({
      ...{ context, selection, valueDtype, ...marking, write },
      bits: bitBuffers(context, scope),
      blockKept: blockKeptBuffer(context, scope),
      ...encodeBuffers(context, scope),
      scales: scales && scaleBuffer(context, scope, scales),
    }));
    const tensors = new EncodedTensors(kept);
    for await (const chunkIndices of markedBatches(context, selection)) {
      const counts = await countKept(encoding, chunkIndices);
      const { table } = context;
      const valueBytes = VALUE_CODECS[valueDtype].bytesPerValue;
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

function writeKernels(
  context: GroupContext,
  selection: SelectionFacts,
  valueDtype: ValueDtype,
): Promise<DeltaKernels> {
  const write = VALUE_KERNELS.keptWrite[VALUE_CODECS[valueDtype].wgsl]!;
  return deltaKernels(context, withBarriers(write, context.counting.tally), selection);
}

/** Call inside `withErrorScopes`. Sizes and uses are those of other operations where they can be. */
function encodeBuffers({ maps, table }: GroupContext, scope: BufferScope) {
  const windowBytes = stagingBytes(maps);
  const written = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const cleared = written | GPUBufferUsage.COPY_SRC;
  return {
    places: scope.create('places of blocks', 4 * PLACE_WORDS * table.blockCount, written),
    encoded: scope.create('encoded entries', windowBytes, cleared),
    windowBytes,
  };
}

async function packWindow(encoding: Encoding, window: PackedWindow): Promise<ArrayBuffer> {
  const { context, selection, valueDtype, write, bits, places, encoded, scales } = encoding;
  const { handle } = context;
  const value_bytes = VALUE_CODECS[valueDtype].bytesPerValue;
  const target = { value_dtype: valueCode(valueDtype), value_bytes };
  const [bytes] = await readBack(handle, 'encoding kept entries', () => {
    const at = 4 * PLACE_WORDS * window.firstBlock;
    handle.device.queue.writeBuffer(places, at, window.places);
    const recorder = new PassRecorder(handle, 'encode');
    recorder.encoder.clearBuffer(encoded, 0, 4 * Math.ceil(window.byteLength / 4));
    for (const { chunkIndex, run } of window.runs) {
      const kernel = write(chunkIndex);
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
