/**
 * `recipe.json`, and the same in the metadata of the weights' files: what made an export, enough to
 * make it again. `merged.safetensors` carries the merge part alone: its bytes must not depend on m.
 */
import { type MergeMethod } from '@/methods/registry';
import { type ValueFormat } from '@/codecs/value-formats';
import { type FloatDtype } from '@/tensor/dtype';
import { type Scope } from '@/tensor/engine';
import { type RankRecord } from './rank-record';

export interface RecipeFile extends MergeRecipeFile {
  /** How each task's own part is kept. */
  readonly compress: SparseRecipe | LowRankRecipe;
}

/** What decides theta*, or the merged adapter. */
export interface MergeRecipeFile {
  readonly peru: 1;
  readonly title: string;
  /** Where the sources can be opened again. */
  readonly group: GroupRecord;
  readonly merge: {
    readonly method: MergeMethod;
    /** Left out where the method has none. */
    readonly lambda?: number;
    /** Of the merged tensors as they are written. */
    readonly dtype: FloatDtype;
  };
  /** Globs over the base's names; left out where all are merged. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly base: SourceRecord;
  /** In the group's order. */
  readonly tasks: readonly TaskRecord[];
}

export type GroupRecord =
  | { readonly kind: 'demo'; readonly demo: 'fft' | 'lora' | 'loras' }
  | { readonly kind: 'hub'; readonly hub?: string; readonly preset?: string }
  | { readonly kind: 'files' };

export interface SparseRecipe {
  readonly method: 'peru-fft';
  /** m, in percent. */
  readonly m: number;
  readonly scope: Scope;
  readonly values: ValueFormat;
  /** Left out where values are as they were kept, and by those who wrote before there was a choice. */
  readonly rescale?: 'norm';
}

export type LowRankRecipe = { readonly method: 'peru-lora' } & RankRecord;

export interface SourceRecord {
  readonly name: string;
  /** `owner/name` on the Hub, with the commit; left out for other files. */
  readonly repo?: string;
  readonly commit?: string;
  /** Folder inside the repo; left out for its root. */
  readonly folder?: string;
  /** Weights (and for adapters their configuration), with content hashes. */
  readonly files: readonly FileRecord[];
}

export interface TaskRecord extends SourceRecord {
  /** Key of the task in results and file names. */
  readonly task: string;
}

export interface FileRecord {
  readonly path: string;
  readonly bytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}
