/** Sources on the visitor's disk that lie there together with a recipe made from them. */
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { type OpenOptions, type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { isRecorded } from './compare-sources';

export interface MatchedSources<Model> {
  /** Null where it is not among them. */
  readonly base: Model | null;
  /** By the task's key, in the recipe's order. */
  readonly tasks: ReadonlyMap<string, Model>;
  readonly findings: readonly Finding[];
}

/**
 * Finds each source of a recipe by the content of its files, whatever they are called now.
 *
 * @throws PeruError when a file can not be read; the signal's reason once aborted
 */
export async function matchSources<Model extends RepoSource>(
  { base, tasks }: RecipeFile,
  models: readonly Model[],
  options: OpenOptions,
): Promise<MatchedSources<Model>> {
  const left = new Set(models);
  const find = async (record: SourceRecord): Promise<Model | null> => {
    for (const model of left) {
      if (!(await isRecorded({ record, repo: model }, options))) continue;
      left.delete(model);
      return model;
    }
    return null;
  };
  const foundBase = await find(base);
  const found = new Map<string, Model>();
  const missing: SourceRecord[] = foundBase === null ? [base] : [];
  for (const record of tasks) {
    const model = await find(record);
    if (model === null) missing.push(record);
    else found.set(record.task, model);
  }
  const findings = missing.map(missed);
  return { base: foundBase, tasks: found, findings: findings.length > 0 ? findings : [allThere()] };
}

function missed({ name, files }: SourceRecord): Finding {
  const listed = files.map(({ path, sha256 }) => `${path}, SHA-256 ${sha256.slice(0, 12)}…`);
  return finding({
    level: 'warning',
    topic: 'sources',
    title: `The recipe was made from ${name}, which is not among the files added.`,
    detail: `No file has its content (${listed.join('; ')}): it was changed, or left out.`,
  });
}

function allThere(): Finding {
  return finding({
    level: 'ok',
    topic: 'sources',
    title: 'The files are those that the recipe was made from, by SHA-256.',
  });
}
