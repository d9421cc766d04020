/** The methods of the results, as the page names and orders them. */
import { sparseMethodId } from '@/worker/method-id';
import { type MethodId } from '@/worker/protocol';

export { sparseMethodId };
export type { MethodId };

export type MethodFamily = 'pretrained' | 'finetuned' | 'merged' | 'post-pruning' | 'peru-fft';

export interface ParsedMethod {
  readonly family: MethodFamily;
  /** m in percent, for the sparse families; null for the others. */
  readonly percent: number | null;
}

/** Every family in the order of the tables. */
export const METHOD_FAMILIES: readonly MethodFamily[] = [
  'pretrained',
  'finetuned',
  'merged',
  'post-pruning',
  'peru-fft',
];

const FAMILY_LABELS: Readonly<Record<MethodFamily, string>> = {
  pretrained: 'Pretrained',
  finetuned: 'Fine-tuned',
  merged: 'Merged',
  'post-pruning': 'Post-Pruning',
  'peru-fft': 'PERU-FFT',
};

/** Splits METHOD of results.json; null for a method this page does not draw. */
export function parseMethod(method: MethodId): ParsedMethod | null {
  const [name, percentText] = method.split('@');
  const family = METHOD_FAMILIES.find((known) => known === name);
  if (family === undefined) return null;
  if (percentText === undefined) return { family, percent: null };
  const percent = Number(percentText);
  return Number.isFinite(percent) ? { family, percent } : null;
}

/** For people: `Fine-tuned`, `PERU-FFT (10 %)`. */
export function methodLabel(method: MethodId): string {
  const parsed = parseMethod(method);
  if (parsed === null) return method;
  const label = FAMILY_LABELS[parsed.family];
  return parsed.percent === null ? label : `${label} (${parsed.percent} %)`;
}

/** The name of a family without its m, for a curve through many m. */
export function familyLabel(family: MethodFamily): string {
  return FAMILY_LABELS[family];
}

/** The five methods a recipe is shown with, in the order of the tables. */
export function methodsAt(keptPercent: number): readonly MethodId[] {
  return [
    'pretrained',
    'finetuned',
    'merged',
    sparseMethodId('post-pruning', keptPercent),
    sparseMethodId('peru-fft', keptPercent),
  ];
}

/** Orders method ids as the tables do: by family, then by m. */
export function compareMethods(a: MethodId, b: MethodId): number {
  const [left, right] = [parseMethod(a), parseMethod(b)];
  if (left === null || right === null) return a < b ? -1 : a > b ? 1 : 0;
  const byFamily = METHOD_FAMILIES.indexOf(left.family) - METHOD_FAMILIES.indexOf(right.family);
  return byFamily !== 0 ? byFamily : (left.percent ?? 0) - (right.percent ?? 0);
}
