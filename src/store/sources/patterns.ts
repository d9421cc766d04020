/** Globs over tensor names, as they are typed. Pure. */
import { type NamePatterns } from '@/store/state/sources';

/** One glob a line, or with commas or blanks between: no tensor's name holds any of them. */
export function readPatterns(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((pattern) => pattern !== ''))];
}

export function writePatterns(patterns: readonly string[]): string {
  return patterns.join('\n');
}

export function samePatterns(a: NamePatterns, b: NamePatterns): boolean {
  return sameList(a.include, b.include) && sameList(a.exclude, b.exclude);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((pattern, i) => pattern === b[i]);
}
