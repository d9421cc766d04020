/** What the manifests of the embedded zoos have in common. */
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';

/** A manifest and the name it goes by in messages. */
export interface Manifest {
  readonly file: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function brokenManifest(file: string, what: string): PeruError {
  return new PeruError(
    'parse',
    `${file} is broken: ${what}.`,
    'Reload the page; if that does not help, the site was built incompletely.',
  );
}

/** What every manifest says of the group. */
export function readGroupFields({ file, fields }: Manifest): {
  readonly demo: string;
  readonly lambda: number;
  readonly base: string;
  readonly tasks: readonly unknown[];
} {
  const { demo, base, lambda, tasks } = fields;
  if (typeof demo !== 'string') throw brokenManifest(file, '"demo" is not text');
  if (typeof lambda !== 'number') throw brokenManifest(file, '"lambda" is not a number');
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw brokenManifest(file, '"tasks" is not a list of tasks');
  }
  return { demo, lambda, tasks, base: folderPath(file, base, 'base') };
}

/** What every manifest says of a task; the rest is the caller's to check. */
export function readTaskFields(
  file: string,
  task: unknown,
  where: string,
): { readonly name: string; readonly title: string; readonly fields: Manifest['fields'] } {
  if (!isRecord(task)) throw brokenManifest(file, `${where} is not an object`);
  const { name, title } = task;
  if (typeof name !== 'string' || !/^[\w-]+$/.test(name)) {
    throw brokenManifest(file, `${where} has no name`);
  }
  if (typeof title !== 'string') throw brokenManifest(file, `${where} has no title`);
  return { name, title, fields: task };
}

/** A relative path that stays below the zoo. */
export function folderPath(file: string, value: unknown, where: string): string {
  if (typeof value === 'string' && /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(value)) return value;
  throw brokenManifest(file, `"${where}" is not the path of a folder`);
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
