/**
 * recipe.json and the recipes in metadata, as text: keys in one order whatever object they come
 * from, so that the same recipe gives the same bytes. Read again by `recipe/read-recipe`.
 */
import { rankOfRecord, rankRecord } from './rank-record';
import {
  type FileRecord,
  type GroupRecord,
  type MergeRecipeFile,
  type RecipeFile,
  type SourceRecord,
  type TaskRecord,
} from './recipe-file';

/** The whole recipe on one line, for the metadata of sparse files. */
export function recipeJson(file: RecipeFile): string {
  return JSON.stringify(ordered(file));
}

/** The merge part alone, on one line, for the metadata of `merged.safetensors`: nothing of m or q. */
export function mergeRecipeJson(file: MergeRecipeFile): string {
  return JSON.stringify(orderedMerge(file));
}

/** The text of recipe.json. */
export function recipeFileText(file: RecipeFile): string {
  return `${JSON.stringify(ordered(file), null, 2)}\n`;
}

function ordered(file: RecipeFile): RecipeFile {
  const { merge, ...rest } = orderedMerge(file);
  const { peru, title, group, ...sources } = rest;
  return { peru, title, group, merge, compress: orderedCompress(file.compress), ...sources };
}

function orderedMerge(file: MergeRecipeFile): MergeRecipeFile {
  const { method, lambda, dtype } = file.merge;
  const { include = [], exclude = [] } = file;
  return {
    peru: file.peru,
    title: file.title,
    group: orderedGroup(file.group),
    merge: { method, ...(lambda === undefined ? {} : { lambda }), dtype },
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
    base: orderedSource(file.base),
    tasks: file.tasks.map((task): TaskRecord => ({ task: task.task, ...orderedSource(task) })),
  };
}

export function orderedGroup(group: GroupRecord): GroupRecord {
  switch (group.kind) {
    case 'demo':
      return { kind: group.kind, demo: group.demo };
    case 'hub':
      return { kind: group.kind, ...given('hub', group.hub), ...given('preset', group.preset) };
    case 'files':
      return { kind: group.kind };
  }
}

export function orderedSource({ name, repo, commit, folder, files }: SourceRecord): SourceRecord {
  return {
    name,
    ...given('repo', repo),
    ...given('commit', commit),
    ...given('folder', folder),
    files: files.map(({ path, bytes, sha256 }): FileRecord => ({ path, bytes, sha256 })),
  };
}

function orderedCompress(compress: RecipeFile['compress']): RecipeFile['compress'] {
  const { method } = compress;
  if (method === 'peru-fft') {
    const { m, scope, values, rescale } = compress;
    return { method, m, scope, values, ...(rescale === undefined ? {} : { rescale }) };
  }
  return { method, ...rankRecord(rankOfRecord(compress)) };
}

function given<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
