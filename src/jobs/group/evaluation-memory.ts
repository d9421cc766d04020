/** What scoring takes beside a group's weights. */
import { type Engine, type MemoryPlan } from '@/tensor/engine';
import { type LanePlatform } from '@/jobs/context/platform';

/** Laid out at once while a table is scored: the pretrained and the merged model, and one more. */
const MODELS_AT_ONCE = 3;
const F32_BYTES = 4;
/** More of them wait for memory rather than for each other. */
const MOST_LANES = 8;
/** Beside weights: 70 to 85 MiB were measured, for a small tower and for B/32's batch of 8. */
const RUNTIME_BYTES = 80 * 2 ** 20;

/** Of a plan: how much, and what for. */
export interface EvaluationPart {
  readonly label: string;
  readonly bytes: number;
}

/** Threads that score side by side; one is the job's own. */
export interface LanePlan extends EvaluationPart {
  readonly count: number;
}

type ScoringEngine = Pick<Engine, 'kind' | 'adapter'>;

/**
 * The float32 models being scored, where they lie on a GPU: where the evaluator runs there; a
 * software adapter's does not.
 */
export function modelsOnGpu(
  engine: ScoringEngine,
  elementCount: number,
  isScored: boolean,
): EvaluationPart {
  const bytes = isScored && scoresOnGpu(engine) ? MODELS_AT_ONCE * F32_BYTES * elementCount : 0;
  return { label: 'Models being scored, float32', bytes };
}

/**
 * How many threads score, and what they hold: each copies the weights of the model being scored into
 * its runtime, from one copy that all of them read, or from one of its own where threads can not
 * share memory. Fewer where that is more than there is room for, and none but the job's own where
 * two do not fit or the GPU scores.
 */
export function planLanes(
  { most, shareMemory }: Pick<LanePlatform, 'most' | 'shareMemory'>,
  engine: ScoringEngine,
  elementCount: number,
  roomBytes: number,
): LanePlan {
  const weights = F32_BYTES * elementCount;
  // Those of two models, while lanes go from one to the next.
  const once = shareMemory ? 2 * weights : 0;
  const each = RUNTIME_BYTES + (shareMemory ? 1 : 2) * weights;
  const fitting = Math.floor((roomBytes - once) / each);
  const count = scoresOnGpu(engine) ? 1 : Math.min(most, MOST_LANES, fitting);
  if (count < 2) return { label: '', bytes: 0, count: 1 };
  return { label: `Scoring in ${count} threads`, bytes: once + count * each, count };
}

/** A plan for weights, with what scoring them takes. */
export function withEvaluation(plan: MemoryPlan, part: EvaluationPart): MemoryPlan {
  const { label, bytes } = part;
  if (bytes === 0) return plan;
  return {
    ...plan,
    peakBytes: plan.peakBytes + bytes,
    leastBytes: plan.leastBytes + bytes,
    parts: [...plan.parts, { label, bytes }].sort((a, b) => b.bytes - a.bytes),
  };
}

function scoresOnGpu({ kind, adapter }: ScoringEngine): boolean {
  return kind === 'webgpu' && !adapter.fallback;
}
