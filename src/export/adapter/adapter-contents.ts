/** What a group of LoRA adapters holds, as far as its files and their sizes depend on it. */
import { type SourceSettings } from './adapter-config';
import { type AdaptedLayer } from '@/formats/lora/adapter-plan';
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';

/** A group of LoRA adapters of one base. */
export interface AdapterContents {
  readonly kind: 'adapters';
  /** Every weight that some task's adapter changes, in canonical order. */
  readonly modules: readonly AdaptedModule[];
  /** Per task, in the order of the cards. */
  readonly tasks: readonly {
    readonly task: string;
    /** Most triplets each module can have, in the order of `modules`; 0 where not adapted. */
    readonly ranks: readonly number[];
    /** Names of the modules in the model it was made for, where they are not the base's. */
    readonly writtenNames: Readonly<Record<string, string>>;
    /** Full copies of biases and heads that travel with it, whatever the rank. */
    readonly copies: readonly CopiedTensor[];
    /** What its configuration says that an export says again. */
    readonly source: SourceSettings;
  }[];
  /** What adapters name as their base: its repo on the Hub, or null. */
  readonly baseModel: string | null;
  /** The largest rank of any module of any task: the right end of the rank slider. */
  readonly maxRank: number;
}

export interface AdaptedModule {
  /** Name of the base's weight. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** How PEFT adapts such a layer; `linear` unless told. */
  readonly layer?: AdaptedLayer;
}

export interface CopiedTensor {
  /** Its name in the model that was adapted. */
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}
