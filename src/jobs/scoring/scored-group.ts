import { type Engine, type ModelWeights } from '@/tensor/engine';
import { type JobEvent } from '@/protocol/events';
import { type Recipe } from '@/recipe/recipe';
import { type GroupScorer } from './group-scorer';
import { type ModelKey, type ScoreCache } from './score-cache';

export interface OpenTask {
  readonly index: number;
  readonly name: string;
  readonly title: string;
  /** Rows of its test split; 0 when it has no data set. */
  readonly rowCount: number;
}

/** What scoring needs of an open group, whatever it holds. */
export interface ScoredGroup {
  readonly engine: Engine;
  readonly tasks: readonly OpenTask[];
  /** Null when nothing can be scored. */
  readonly scorer: GroupScorer | null;
  readonly scores: ScoreCache;
  dispose(): void;
}

/** One run of a recipe on an open group. */
export interface Job<Group extends ScoredGroup = ScoredGroup> {
  readonly group: Group;
  readonly recipe: Recipe;
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/** What a column of the accuracy table scores: a method's model for each task. */
export interface ScoredModel extends ModelKey {
  /** For people, inside "Scoring … on TASK". */
  readonly title: string;
  /** The same model serves every task. */
  readonly shared: boolean;
  /** The model of a task, where the evaluator wants it; whoever asks disposes it. */
  readonly layOut: (task: number, location: 'cpu' | 'gpu') => Promise<ModelWeights>;
}

/** Runs a stage and reports its wall time under a name of results.json. */
export async function timeStage(
  { emit }: Pick<Job, 'emit'>,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  const start = performance.now();
  await work();
  emit({ type: 'stage', name, seconds: (performance.now() - start) / 1000 });
}

/** Tells the page what engine and evaluator hold; the peak is the engine's, as it was planned. */
export function reportMemory({ group, emit }: Job): void {
  const { liveBytes, peakBytes } = group.engine.memory();
  const beside = group.scorer?.gpuBytes ?? 0;
  emit({ type: 'memory', liveBytes: liveBytes + beside, peakBytes });
}
