/** Small files of the base's repo without which the merged model can not be used elsewhere. */
import { type ByteSource } from '@/tensor/byte-source';
import { copyFile, type WrittenFile } from '@/export/written-file';
import { fileLabel, openRequired, type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { readRange } from '@/tensor/safetensors';
import { type Staging } from './staging';

/** Configuration, tokenizer, preprocessor, licence: as `save_pretrained` and people name them. */
const SIDE_FILE =
  /^(?:(?:config|generation_config|preprocessor_config|processor_config|special_tokens_map|added_tokens|tokenizer.*)\.json|tokenizer\.model|spiece\.model|merges\.txt|vocab\..+|chat_template\..+|licen[cs]e.*)$/i;

/** A file to be copied as it is. */
export interface SideFile {
  readonly path: string;
  readonly blob: ByteSource;
}

/** Those that the repo has, in the order of their names. */
export async function sideFiles(base: RepoSource, signal: AbortSignal): Promise<SideFile[]> {
  const paths = (base.paths ?? []).filter((path) => SIDE_FILE.test(path)).sort();
  const open = async (path: string): Promise<SideFile> => {
    return { path, blob: await openRequired(base, path, { signal }) };
  };
  return Promise.all(paths.map(open));
}

/** Copies them byte by byte. */
export async function addSideFiles(
  staging: Staging,
  base: RepoSource,
  files: readonly SideFile[],
  signal: AbortSignal,
): Promise<void> {
  for (const { path, blob } of files) {
    const label = fileLabel(base, path);
    const read = (start: number, end: number) => readRange(blob, start, end, label, signal);
    await staging.add('side', async (folder, options): Promise<WrittenFile[]> => [
      await copyFile(folder, path, { byteLength: blob.size, read }, options),
    ]);
  }
}
