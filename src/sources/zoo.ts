/**
 * The embedded zoo: small checkpoints and datasets under one base URL, laid out as Hub repos and
 * listed in zoo.json. Its files are small, so each is fetched whole, once, when first opened.
 */
import {
  type CheckpointSource,
  openRequired,
  type OpenOptions,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { type Fetch } from './fetch-file';
import { JSON_CAPS, readJsonObject } from '@/formats/checkpoint/json-file';
import {
  brokenManifest,
  folderPath,
  isTextList,
  readGroupFields,
  readTaskFields,
} from './manifest';
import { type Door, webCheckpoint, webRepo } from './web-repo';

export interface ZooTask {
  /** Key of the task in results and file names. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly model: CheckpointSource;
  readonly dataset: RepoSource;
  /** Prompts with `{}` or `{c}` in the place of a class name. */
  readonly templates: readonly string[];
}

export interface Zoo {
  readonly demo: string;
  readonly base: CheckpointSource;
  /** λ chosen on validation data. */
  readonly lambda: number;
  readonly tasks: readonly ZooTask[];
}

export interface ZooOptions extends OpenOptions {
  /** Where zoo.json lies, ending in a slash. */
  readonly baseUrl: string | URL;
  readonly fetch?: Fetch;
}

const MANIFEST = 'zoo.json';

/** What lies in the base's folder: a static server lists nothing. */
const BASE_PATHS: readonly string[] = [
  'README.md',
  'config.json',
  'merges.txt',
  'model.safetensors',
  'preprocessor_config.json',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.json',
];

/** Where `datasets` puts a split that fits one file. */
export function splitPath(split: 'test' | 'validation'): string {
  return `data/${split}-00000-of-00001.parquet`;
}

/**
 * Opens the zoo: one request, for its manifest.
 *
 * @throws PeruError `source` when it can not be fetched, `parse` when the manifest is broken
 */
export async function openZoo(options: ZooOptions): Promise<Zoo> {
  const door = {
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    baseUrl: new URL(options.baseUrl),
  };
  const root = webRepo('zoo', '', door);
  const manifest = await readJsonObject(
    await openRequired(root, MANIFEST, options),
    MANIFEST,
    JSON_CAPS.manifest,
  );
  return readManifest(manifest, door);
}

function readManifest(fields: Readonly<Record<string, unknown>>, door: Door): Zoo {
  const { demo, lambda, base, tasks } = readGroupFields({ file: MANIFEST, fields });
  return {
    demo,
    lambda,
    base: { ...webCheckpoint(base, door), paths: BASE_PATHS },
    tasks: tasks.map((task, i) => readTask(task, `tasks[${i}]`, door)),
  };
}

function readTask(task: unknown, where: string, door: Door): ZooTask {
  const { name, title, fields } = readTaskFields(MANIFEST, task, where);
  const { model, dataset, templates } = fields;
  if (!isTextList(templates) || templates.length === 0) {
    throw brokenManifest(MANIFEST, `${where} has no templates`);
  }
  return {
    name,
    title,
    model: webCheckpoint(folderPath(MANIFEST, model, `${where}.model`), door),
    dataset: webRepo(name, folderPath(MANIFEST, dataset, `${where}.dataset`), door),
    templates,
  };
}
