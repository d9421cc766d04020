/** NaN and Inf, counted on the GPU on the raw bits of a checkpoint. */
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { DTYPE_CODES } from './chunk-buffers';
import { type GroupContext } from './group-context';
import { KERNELS } from './sources';

/** @returns one count a tensor of the layout */
export async function countNonFiniteValues(
  context: GroupContext,
  checkpoint: number,
): Promise<Uint32Array> {
  const { handle, spec, table } = context;
  const kernels = await Promise.all(
    spec.chunks.map(({ index }) => {
      const DTYPE = DTYPE_CODES[context.weights.checkpoint(checkpoint, index).dtype];
      return handle.pipelines.get({ ...KERNELS.nonfinite, overrides: { DTYPE } });
    }),
  );
  const byteLength = 4 * spec.layout.tensors.length;
  return handle.buffers.lend(async (scope) => {
    const [bytes] = await readBack(handle, 'looking for NaN and Inf', () => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const counts = scope.create('non-finite counts', byteLength, usage);
      const recorder = new PassRecorder(handle, 'nonfinite');
      recorder.clear(counts);
      for (const { index } of spec.chunks) {
        const { first, count } = table.ofChunk[index]!;
        const kernel = kernels[index]!;
        const { slice } = context.weights.checkpoint(checkpoint, index);
        const params = context.params.get(kernel, {
          first_block: first,
          block_count: count,
        });
        const resources = { params, values: slice, blocks: context.blocks, counts };
        recorder.dispatch(kernel, resources, count);
      }
      recorder.endPass();
      return { encoder: recorder.encoder, ranges: [{ source: counts, byteLength }] };
    });
    return new Uint32Array(bytes!);
  });
}
