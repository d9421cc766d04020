/** NaN and Inf, counted on the GPU on the raw bits of a checkpoint. */
import { type PassRecorder } from '@/gpu/recorder';
import { DTYPE_CODES, dtypeOf } from '@/kernels/weights/chunk-buffers';
import { type GroupContext } from '@/kernels/weights/group-context';
import { KERNELS } from '@/kernels/weights/wgsl';
import { runWork } from '@/kernels/weights/work';

/**
 * One pass over the checkpoint.
 *
 * @returns one count a tensor of the layout
 */
export async function countNonFiniteValues(
  context: GroupContext,
  checkpoint: number,
): Promise<Uint32Array> {
  const { handle, spec, table } = context;
  const kernels = await Promise.all(
    spec.chunks.map(({ index }) => {
      const DTYPE = DTYPE_CODES[dtypeOf(spec.chunks, checkpoint, index)];
      return handle.pipelines.get({ ...KERNELS.nonfinite, overrides: { DTYPE } });
    }),
  );
  const byteLength = 4 * spec.layout.tensors.length;
  return handle.buffers.lend(async (scope) => {
    const what = 'looking for NaN and Inf';
    const [bytes] = await runWork(context, what, 'nonfinite', (first) => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const counts = scope.create('non-finite counts', byteLength, usage);
      first.clear(counts);
      const each = (recorder: PassRecorder, index: number): void => {
        const { first, count } = table.ofChunk[index]!;
        const kernel = kernels[index]!;
        const { slice } = context.weights.checkpoint(checkpoint, index);
        const params = context.params.get(kernel, {
          first_block: first,
          block_count: count,
        });
        const resources = { params, values: slice, blocks: context.blocks, counts };
        recorder.dispatch(kernel, resources, count);
      };
      return {
        steps: [{ checkpoints: [checkpoint], each }],
        ranges: [{ source: counts, byteLength }],
      };
    });
    return new Uint32Array(bytes!);
  });
}
