/** Finds model repos by a part of their name, before anything is opened. */
import { listModels } from '@huggingface/hub';
import { type HubClient } from '@/hub/hub-client';

export interface FoundRepo {
  /** `owner/name`. */
  readonly repo: string;
  readonly downloads: number;
  readonly likes: number;
  /** Its owner lets in whoever asks: its files can be read with access only. */
  readonly gated: boolean;
  readonly private: boolean;
  /** An adapter of another model (PEFT), by its tags or library. */
  readonly isAdapter: boolean;
  /** Weights that Peru reads, by its tags; repos without may have a conversion. */
  readonly hasSafetensors: boolean;
}

/** Fewer letters than this fit nearly everything. */
export const LEAST_LETTERS = 2;

const ADAPTER_TAGS: ReadonlySet<string> = new Set(['peft', 'lora']);
const ADAPTER_OF = 'base_model:adapter:';
const DEFAULT_LIMIT = 8;
/** What stands in messages in the place of a repo's name. */
const LIST = 'The list of matching repos';

/** Typed as always there by the library; the Hub leaves out what a repo has none of. */
interface LeftOut {
  readonly tags?: readonly string[];
  readonly library_name?: string;
}

/**
 * Model repos whose name holds a text, most downloaded first; none for fewer than `LEAST_LETTERS`.
 *
 * @throws PeruError when the Hub can not be asked; the signal's reason once aborted
 */
export async function findRepos(
  client: HubClient,
  text: string,
  { limit = DEFAULT_LIMIT, signal = new AbortController().signal } = {},
): Promise<FoundRepo[]> {
  const query = text.trim();
  if (query.length < LEAST_LETTERS) return [];
  const about = client.about({ repo: LIST, revision: null, path: null });
  const models = listModels({
    search: { query },
    sort: 'downloads',
    limit,
    additionalFields: ['tags', 'library_name'],
    hubUrl: client.hubUrl,
    fetch: client.apiFetch(about, signal),
  });
  const found: FoundRepo[] = [];
  for await (const { name, downloads, likes, gated, private: hidden, ...more } of models) {
    found.push({
      repo: name,
      downloads,
      likes,
      gated: gated !== false,
      private: hidden,
      ...tellTags(more),
    });
  }
  return found;
}

function tellTags({
  tags = [],
  library_name: library,
}: LeftOut): Pick<FoundRepo, 'isAdapter' | 'hasSafetensors'> {
  return {
    isAdapter: library === 'peft' || tags.some(isAdapterTag),
    hasSafetensors: tags.includes('safetensors'),
  };
}

function isAdapterTag(tag: string): boolean {
  return ADAPTER_TAGS.has(tag) || tag.startsWith(ADAPTER_OF);
}
