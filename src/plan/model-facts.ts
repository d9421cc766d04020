/** What planning knows of a checkpoint besides its tensors: from its small files, or null. */
export interface ModelFacts {
  /** The checkpoint's name, for messages. */
  readonly name: string;
  /** `config.json`, parsed; hostile input. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Why a config.json that is there can not be read. */
  readonly brokenConfig?: string | null;
  /** Names the contents of its tokenizer: equal texts, equal tokenizers. Null where it has none. */
  readonly tokenizerHash: string | null;
  /** Licence id of its model card, e.g. `mit`. */
  readonly licence: string | null;
}
