/** What a model card tells, and nothing that differs from run to run: no dates, no seconds. */
import { isPacked } from '@/codecs/packed/packed-format';
import { type PositionCost } from '@/export/sparse/index-cost';
import { type AdapterReport, type EngineKind } from '@/tensor/engine';
import { type RecipeFile } from '@/recipe/recipe-file';

export interface CardFacts {
  readonly recipe: RecipeFile;
  /** Of results.json. Only what made these numbers: stages and their seconds are not asked for. */
  readonly results: CardResults;
  /** Key in `results` of what the files hold: `peru-fft@10`, `peru-lora@8`, … */
  readonly method: string;
  /** Of the recipe's base, then of its tasks: as their model cards name them, null where not. */
  readonly licences: readonly (string | null)[];
  /** All files but the card, in the order written; results.json is named without its size. */
  readonly files: readonly CardFile[];
  /** Stems of the tasks' files or folders, in the recipe's order (`fileStems`). */
  readonly stems: readonly string[];
  /** What positions cost, per task; empty for adapters. */
  readonly index: readonly CardIndexCost[];
  /** Address that opens sources and recipe again, or null. */
  readonly link: string | null;
}

export interface CardFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface CardIndexCost extends PositionCost {
  readonly task: string;
}

export interface CardResults {
  readonly adapter: AdapterReport;
  readonly engine: EngineKind;
  readonly tasks: readonly {
    readonly name: string;
    readonly metric: 'accuracy' | 'spearman';
    readonly n: number;
    readonly scores: Readonly<Record<string, number>>;
  }[];
  readonly average: Readonly<Record<string, number>>;
  readonly storage: readonly {
    readonly method: string;
    readonly files: readonly { readonly name: string; readonly bytes: number }[];
    readonly bytes: number;
  }[];
}

/** Whether tasks' files hold packed values, version 2. */
export function isPackedRecipe({ compress }: RecipeFile): boolean {
  return compress.method === 'peru-fft' && isPacked(compress.values);
}
