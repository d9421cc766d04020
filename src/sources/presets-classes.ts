/** Class names and templates of a preset's image task, loaded when they are needed. */
import { PeruError } from '@/core/errors';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type Fetch, fetchFile } from './fetch-file';
import { readJsonObject } from '@/formats/checkpoint/json-file';
import { isTextList } from './manifest';

export interface ImageClasses {
  /** In label order. */
  readonly classNames: readonly string[];
  /** Prompts with `{c}` in the place of a class name. */
  readonly templates: readonly string[];
}

/** The longest list has 397 names and takes 7 kB. */
const MAX_BYTES = 100_000;

/**
 * @param baseUrl folder of the presets' files, ending in a slash
 * @throws PeruError `source` when the file can not be fetched, `parse` when it is broken
 */
export async function readImageClasses(
  file: string,
  options: OpenOptions & { readonly baseUrl: URL; readonly fetch?: Fetch },
): Promise<ImageClasses> {
  const { baseUrl, ...rest } = options;
  const path = `presets/${file}`;
  const blob = await fetchFile(new URL(file, baseUrl), {
    ...rest,
    path,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    maxBytes: MAX_BYTES,
  });
  if (blob === null) throw broken(path, 'it is missing');
  const { classNames, templates } = await readJsonObject(blob, path, MAX_BYTES);
  if (!isTextList(classNames) || classNames.length === 0) throw broken(path, 'it names no classes');
  if (!isTextList(templates) || templates.length === 0) throw broken(path, 'it has no templates');
  return { classNames, templates };
}

function broken(path: string, what: string): PeruError {
  return new PeruError(
    'parse',
    `${path} of this site can not be used: ${what}.`,
    'Reload the page; if that does not help, the site was built incompletely.',
  );
}
