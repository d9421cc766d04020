/** `recipe.json` of LoRA files that were shrunk or combined without a base. */
import { type LoraChoices } from './lora-choices';
import { type GroupRecord, type SourceRecord } from './recipe-file';
import { type RankRecord } from './rank-record';

export interface LoraRecipeFile {
  readonly peru: 1;
  readonly title: string;
  readonly group: GroupRecord;
  readonly lora: LoraRecord;
  /** Of the file made of all. */
  readonly written?: string;
  /** In the group's order. */
  readonly files: readonly LoraSourceRecord[];
}

export interface LoraRecord extends Pick<LoraChoices, 'make' | 'spelling' | 'alpha'> {
  readonly rank: RankRecord;
  /** Left out where there is none. */
  readonly cap?: number;
  /** Left out where convolutions have the ranks of all others. */
  readonly convolutions?: RankRecord;
  /** Left out where everything is kept. */
  readonly carried?: 'leave';
  /** In the order of the files; of a sum alone. */
  readonly weights?: readonly number[];
}

export interface LoraSourceRecord extends SourceRecord {
  /** Its file inside the export; left out of a sum. */
  readonly written?: string;
}
