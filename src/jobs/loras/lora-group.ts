/** LoRA files without a base, factorised, and what their jobs make of them. */
import { type LoraContents } from '@/export/lora/lora-contents';
import { type LoraSpectra } from '@/export/lora/lora-preview';
import { type LoraFile } from '@/formats/lora-file/lora-file';
import { type HeldGroup } from '@/jobs/group/loaded-group';
import { type LoraSources } from '@/jobs/group/sources';
import { type MatchedFiles } from '@/plan/loras/match-files';
import { type OverlapFacts } from '@/protocol/results';
import { type GroupRecord } from '@/recipe/recipe-file';
import { type LoraMemory } from './lora-memory';
import { type ProductBatches } from './product-batches';

export interface LoraGroup extends HeldGroup {
  readonly kind: 'loras';
  readonly sources: LoraSources;
  readonly origin: LoraOrigin;
  readonly files: readonly LoraFile[];
  /** Factor of each module's product, by file. */
  readonly scales: readonly (readonly number[])[];
  readonly matched: MatchedFiles;
  readonly contents: LoraContents;
  readonly memory: LoraMemory;
  /** All modules of all files, file after file. */
  readonly products: ProductBatches;
  /** By file, in the order of `contents.modules`. */
  readonly spectra: readonly LoraSpectra[];
  /** The sum by the weights of the recipe run last; null: none was asked for. */
  sum: LoraSum | null;
  /** Of the files, whatever their weights; null before it was asked for. */
  overlap: OverlapFacts | null;
}

export interface LoraOrigin {
  readonly title: string;
  readonly group: GroupRecord;
  readonly allowNonFinite: boolean;
  /** Of the files, as their model cards name them. */
  readonly licences: readonly (string | null)[];
}

/** All files added up, factorised. */
export interface LoraSum {
  /** `combinedKey` of the weights. */
  readonly key: string;
  /** One a module of `contents.modules`. */
  readonly products: ProductBatches;
  readonly spectra: LoraSpectra;
}
