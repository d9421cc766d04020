import { readFileSync } from 'node:fs';

/** A JSON file of the embedded zoo, by its path below it. */
export function zooJson(path: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(new URL(`../../public/zoo/${path}`, import.meta.url), 'utf8');
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
