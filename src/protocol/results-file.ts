/** Shape of results.json: what the page downloads, and what an export carries. */
import { type NamePatterns } from '@/plan/names/name-patterns';
import { type AdapterReport, type EngineKind } from '@/tensor/engine';
import { type MethodId, type Metric, type Recipe, type StorageRow } from '@/recipe/recipe';

/** What decided these results: of a recipe, only what its kind of group uses. */
export type UsedRecipe = Partial<Omit<Recipe, 'compressors'>> & Partial<NamePatterns>;

/** docs/FORMATS.md. Accuracies are 0..1, correlations -1..1, sizes bytes. */
export interface ResultsFile {
  readonly peru: 1;
  readonly adapter: AdapterReport;
  readonly engine: EngineKind;
  readonly recipe: UsedRecipe;
  readonly tasks: readonly {
    readonly name: string;
    readonly metric: Metric;
    readonly n: number;
    readonly scores: Readonly<Record<MethodId, number>>;
  }[];
  readonly average: Readonly<Record<MethodId, number>>;
  readonly storage: readonly StorageRow[];
  readonly seconds: Readonly<Record<string, number>>;
  /** Of the engine; null while it is not known. */
  readonly memory: MemoryUse | null;
}

/** What the plan said and what was held at most, in bytes. */
export interface MemoryUse {
  readonly mode: 'resident' | 'streamed';
  readonly plannedBytes: number;
  readonly peakBytes: number;
}
