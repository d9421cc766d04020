/** What LoRA files hold, as far as the files made of them and their sizes depend on it. Plain facts. */
import { type HeaderEntry } from '@/export/safetensors-writer';
import { type LoraFileConfig } from '@/formats/lora-file/lora-file';
import { type SpellingId } from '@/formats/lora-file/spelling';
import { type FloatDtype } from '@/tensor/dtype';

/** LoRA files by themselves, without a base. */
export interface LoraContents {
  readonly kind: 'loras';
  /** Every module that some file changes, by one name for all spellings. */
  readonly modules: readonly LoraModuleFacts[];
  /** In the order of the cards. */
  readonly files: readonly LoraFileFacts[];
  /** The largest rank of any module of any file. */
  readonly maxRank: number;
  /** The same of all files added up. */
  readonly maxRankOfAll: number;
}

export interface LoraModuleFacts {
  /** For people, and unique. */
  readonly name: string;
  /** The weight as a matrix [out, in * kernel]. */
  readonly rows: number;
  readonly columns: number;
  readonly isConvolution: boolean;
}

export interface LoraFileFacts {
  /** Key of the file in spectra, results and weights. */
  readonly name: string;
  /** Where it is written inside an export: as it was called. */
  readonly path: string;
  /** Of most of its modules. */
  readonly spelling: SpellingId;
  /** In the order of the file. */
  readonly factors: readonly FactorFacts[];
  /** By module of the group, its place in `factors`; -1 where the file does not change it. */
  readonly places: readonly number[];
  /** What belongs to no module. */
  readonly carried: readonly HeaderEntry[];
  /** All names in the order of the file. */
  readonly order: readonly string[];
  readonly metadata: readonly (readonly [key: string, value: string])[];
  readonly config: LoraFileConfig | null;
  readonly byteLength: number;
}

/** One module of a file. */
export interface FactorFacts {
  /** As the file calls it. */
  readonly key: string;
  readonly spelling: SpellingId;
  readonly rank: number;
  readonly rows: number;
  readonly columns: number;
  /** [in, ...kernel] */
  readonly inputShape: readonly number[];
  /** Ones behind the shape of up: as many as down has sizes of a kernel. */
  readonly upPoints: number;
  readonly upDtype: FloatDtype;
  readonly downDtype: FloatDtype;
  /** Null where the file has no alpha for it. */
  readonly alpha: { readonly dtype: FloatDtype; readonly shape: readonly number[] } | null;
  /** Of [rows] numbers that are added to what up gives; null where there are none. */
  readonly biasDtype: FloatDtype | null;
  /** Factor of up down. */
  readonly scale: number;
}
