/** `Download results`: results.json, read by other people's scripts. Pure. */
import { type NamePatterns } from '@/store/state/sources';
import { compareMethods, type GroupKind } from '@/recipe/parsed-method';
import { type EngineFacts } from '@/store/state/job';
import { isRescaled } from '@/recipe/stored-values';
import { type Recipe } from '@/store/state/recipe';
import { type MemoryUse, type ResultsFile, type UsedRecipe } from '@/protocol/results-file';
import { type ByMethod, type MethodId, type Score, type StorageRow } from '@/store/state/results';

export type { MemoryUse, ResultsFile };

export interface ResultsToWrite {
  readonly engine: EngineFacts;
  readonly kind: GroupKind;
  readonly recipe: Recipe;
  /** Which tensors were merged; none: all. */
  readonly patterns: NamePatterns;
  /** Names of the scored tasks, in the group's order. */
  readonly tasks: readonly string[];
  readonly scores: ByMethod<Score>;
  readonly storage: Readonly<Record<MethodId, StorageRow>>;
  readonly seconds: Readonly<Record<string, number>>;
  readonly memory: MemoryUse | null;
}

/**
 * Lays the results out. A task has one n, the largest any method reached: scores on fewer rows
 * (work still under way, or cancelled) are left out, so the numbers of a task always compare.
 * A method has an average only where every task has its score: the mean of the tasks' metrics, as
 * the literature reports it.
 */
export function resultsFile(results: ResultsToWrite): ResultsFile {
  const methods = Object.keys(results.scores).sort(compareMethods);
  const tasks = results.tasks.map((name) => taskEntry(name, methods, results.scores));
  const average: Record<MethodId, number> = {};
  for (const method of methods) {
    const values = tasks.flatMap(({ scores }) => scores[method] ?? []);
    if (values.length > 0 && values.length === tasks.length) {
      average[method] = values.reduce((sum, value) => sum + value, 0) / values.length;
    }
  }
  const { adapter, engine } = results.engine;
  return {
    peru: 1,
    adapter,
    engine,
    recipe: { ...usedRecipe(results.kind, results.recipe), ...usedPatterns(results) },
    tasks,
    average,
    storage: storageRows(results.storage),
    seconds: results.seconds,
    memory: results.memory,
  };
}

function usedRecipe(kind: GroupKind, recipe: Recipe): UsedRecipe {
  const { mergeMethod, lambda, keptPercent, scope, rank, lora, mergedDtype, valueDtype } = recipe;
  const rescale = isRescaled(recipe) ? { rescale: recipe.rescale } : {};
  if (kind === 'loras') return { rank, lora };
  if (kind === 'adapters') return { mergeMethod, lambda, rank };
  return { mergeMethod, lambda, keptPercent, scope, mergedDtype, valueDtype, ...rescale };
}

/** Adapters are merged whole: patterns say nothing of them. */
function usedPatterns({
  kind,
  patterns: { include, exclude },
}: ResultsToWrite): Partial<NamePatterns> {
  if (kind !== 'full') return {};
  return {
    ...(include.length > 0 ? { include } : {}),
    ...(exclude.length > 0 ? { exclude } : {}),
  };
}

/** Every method's files in the order of the tables. */
export function storageRows(
  storage: Readonly<Record<MethodId, StorageRow>>,
): readonly StorageRow[] {
  return Object.values(storage).sort((a, b) => compareMethods(a.method, b.method));
}

function taskEntry(
  name: string,
  methods: readonly MethodId[],
  scores: ByMethod<Score>,
): ResultsFile['tasks'][number] {
  const ofTask = methods.flatMap((method) => scores[method]?.[name] ?? []);
  const n = ofTask.reduce((most, score) => Math.max(most, score.n), 0);
  const complete = ofTask.filter((score) => score.n === n && n > 0);
  return {
    name,
    metric: ofTask[0]?.metric ?? 'accuracy',
    n,
    scores: Object.fromEntries(complete.map(({ method, value }) => [method, value])),
  };
}
