import { type Engine, type MemoryPlan } from '@/tensor/engine';

/** Laid out at once while a table is scored: the pretrained and the merged model, and one more. */
const MODELS_AT_ONCE = 3;
const F32_BYTES = 4;

/**
 * Bytes of the float32 models being scored. They lie on a GPU only where the evaluator runs there;
 * a software adapter's does not.
 */
export function evaluationBytes(
  { kind, adapter }: Pick<Engine, 'kind' | 'adapter'>,
  elementCount: number,
  isScored: boolean,
): number {
  const isOnGpu = isScored && kind === 'webgpu' && !adapter.fallback;
  return isOnGpu ? MODELS_AT_ONCE * F32_BYTES * elementCount : 0;
}

/** A plan for weights, with what scoring them takes. */
export function withEvaluation(plan: MemoryPlan, bytes: number): MemoryPlan {
  if (bytes === 0) return plan;
  const part = { label: 'Models being scored, float32', bytes };
  return {
    ...plan,
    peakBytes: plan.peakBytes + bytes,
    leastBytes: plan.leastBytes + bytes,
    parts: [...plan.parts, part].sort((a, b) => b.bytes - a.bytes),
  };
}
