/** The embedded LoRA files: one small diffusion model's, in three spellings, listed in a manifest. */
import {
  joinPath,
  openRequired,
  type OpenOptions,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { JSON_CAPS, readJsonObject } from '@/formats/checkpoint/json-file';
import { type Fetch } from './fetch-file';
import { brokenManifest, folderPath, isTextList } from './manifest';
import { webRepo } from './web-repo';

export interface ZooLoraFile {
  /** Key in results and file names. */
  readonly name: string;
  readonly repo: RepoSource;
  readonly weightsPath: string;
}

interface LoraZooOptions extends OpenOptions {
  /** Where the manifest lies, ending in a slash. */
  readonly baseUrl: string | URL;
  readonly fetch?: Fetch;
}

const MANIFEST = 'manifest.json';
const CONFIG = 'adapter_config.json';
const CARD = 'README.md';

/**
 * One request, for the manifest.
 *
 * @throws PeruError `source` when it can not be fetched, `parse` when the manifest is broken
 */
export async function openLoraZoo(options: LoraZooOptions): Promise<readonly ZooLoraFile[]> {
  const door = {
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    baseUrl: new URL(options.baseUrl),
  };
  const root = webRepo('LoRA zoo', '', door);
  const blob = await openRequired(root, MANIFEST, options);
  const { files } = await readJsonObject(blob, MANIFEST, JSON_CAPS.manifest);
  if (!isTextList(files) || files.length === 0) throw brokenManifest(MANIFEST, 'it has no files');
  return files.map((path, i) => {
    const safe = folderPath(MANIFEST, path, `files[${i}]`);
    const [folder, weightsPath] = split(safe);
    const name = folder === '' ? weightsPath.replace(/\.safetensors$/, '') : folder;
    const repo = webRepo(name, folder, door);
    // A static server lists nothing: what is not there is not asked for.
    const paths = folder === '' ? [weightsPath] : [weightsPath, CONFIG];
    const open: RepoSource['open'] = (asked, own) => {
      if (asked === CARD) return root.open(CARD, own);
      return paths.includes(asked) ? repo.open(asked, own) : Promise.resolve(null);
    };
    return { name, weightsPath, repo: { ...repo, id: joinPath('loras', safe), paths, open } };
  });
}

function split(path: string): readonly [folder: string, name: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
}
