/** NaN and Inf in the factors of low-rank products, counted on their raw bits. */
import { readBack } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { type LowRankBatch, type LowRankContext } from './low-rank-batch';
import { LOW_RANK_KERNELS } from './low-rank-wgsl';

/** @returns one count a product of the batch */
export async function countNonFiniteFactors(
  { handle, params }: LowRankContext,
  { plan, jobs, arena }: LowRankBatch,
): Promise<Uint32Array> {
  const kernel = await handle.pipelines.get(LOW_RANK_KERNELS.nonfinite);
  const byteLength = 4 * plan.products.length;
  const { first, count } = plan.jobs.nonfinite;
  return handle.buffers.lend(async (scope) => {
    const [bytes] = await readBack(handle, 'looking for NaN and Inf', () => {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const counts = scope.create('non-finite counts', byteLength, usage);
      const recorder = new PassRecorder(handle, 'nonfinite');
      recorder.clear(counts);
      const resources = {
        params: params.get(kernel, { first_job: first, job_count: count }),
        jobs,
        values: arena,
        counts,
      };
      recorder.dispatch(kernel, resources, count);
      recorder.endPass();
      return { encoder: recorder.encoder, ranges: [{ source: counts, byteLength }] };
    });
    return new Uint32Array(bytes!);
  });
}
