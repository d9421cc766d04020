/**
 * The embedded zoo of LoRA adapters: one text model, an adapter a task and its data set, under
 * one base URL, listed in manifest.json.
 */
import {
  type CheckpointSource,
  type OpenOptions,
  openRequired,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { JSON_CAPS, readJsonObject } from '@/formats/checkpoint/json-file';
import {
  brokenManifest,
  folderPath,
  isTextList,
  readGroupFields,
  readTaskFields,
} from './manifest';
import { type Door, webCheckpoint, webRepo } from './web-repo';
import { type ZooOptions } from './zoo';

export interface TextZooTask {
  /** Key of the task in results and file names. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly adapter: RepoSource;
  readonly dataset: RepoSource;
  /** Question with `{column}` in the place of each column of a row. */
  readonly prompt: string;
  /** The right answer of each label; null where it is the label itself, with one decimal. */
  readonly answers: readonly string[] | null;
  readonly metric: 'accuracy' | 'spearman';
}

export interface TextZoo {
  readonly base: CheckpointSource;
  /** λ chosen on validation data. */
  readonly lambda: number;
  /** Most tokens an answer may have, its end included. */
  readonly maxNewTokens: number;
  readonly tasks: readonly TextZooTask[];
}

const MANIFEST = 'manifest.json';
const LABEL = 'text/manifest.json';

/**
 * Opens the zoo: one request, for its manifest.
 *
 * @throws PeruError `source` when it can not be fetched, `parse` when the manifest is broken
 */
export async function openTextZoo(options: ZooOptions): Promise<TextZoo> {
  const door: Door = {
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    baseUrl: new URL(options.baseUrl),
  };
  const fields = await readManifest(door, options);
  const { lambda, base, tasks } = readGroupFields({ file: LABEL, fields });
  const { maxNewTokens } = fields;
  if (typeof maxNewTokens !== 'number' || !Number.isInteger(maxNewTokens) || maxNewTokens < 1) {
    throw brokenManifest(LABEL, '"maxNewTokens" is not a count');
  }
  return {
    lambda,
    maxNewTokens,
    base: webCheckpoint(base, door),
    tasks: tasks.map((task, i) => readTask(task, `tasks[${i}]`, door)),
  };
}

async function readManifest(
  door: Door,
  options: OpenOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const root = webRepo('text zoo', '', door);
  return readJsonObject(await openRequired(root, MANIFEST, options), LABEL, JSON_CAPS.manifest);
}

function readTask(task: unknown, where: string, door: Door): TextZooTask {
  const { name, title, fields } = readTaskFields(LABEL, task, where);
  const { adapter, dataset, prompt, answers, metric } = fields;
  if (typeof prompt !== 'string') throw brokenManifest(LABEL, `${where} has no prompt`);
  if (metric !== 'accuracy' && metric !== 'spearman') {
    throw brokenManifest(LABEL, `${where} has no metric`);
  }
  const answersFit = metric === 'spearman' ? answers === null : isTextList(answers);
  if (!answersFit) throw brokenManifest(LABEL, `the answers of ${where} do not fit its metric`);
  const folder = (value: unknown, field: string): string =>
    folderPath(LABEL, value, `${where}.${field}`);
  return {
    name,
    title,
    prompt,
    metric,
    answers: isTextList(answers) ? answers : null,
    adapter: webRepo(name, folder(adapter, 'adapter'), door),
    dataset: webRepo(name, folder(dataset, 'dataset'), door),
  };
}
