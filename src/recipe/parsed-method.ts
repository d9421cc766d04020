/** The methods of the results, as the page orders them. */
import { COMPRESS_METHODS, type CompressMethod, COMPRESSORS } from '@/methods/registry';
import { lowRankMethodId, sparseMethodId } from './method-id';
import { type RankChoice } from '@/methods/peru-lora';
import { type MethodId, type Recipe } from './recipe';

export { lowRankMethodId, sparseMethodId };
export type { MethodId };

/** What a group holds: full fine-tunes or LoRA adapters of one base, or LoRA files without one. */
export type GroupKind = 'full' | 'adapters' | 'loras';

/** Models that stand without a setting, in the order of the tables. */
const WHOLE_MODELS = ['pretrained', 'finetuned', 'merged'] as const;

export type MethodFamily = (typeof WHOLE_MODELS)[number] | CompressMethod;

/** How a method was set: m in percent, or PERU-LoRA's choice of ranks. */
export type MethodSetting = { readonly by: 'entries'; readonly percent: number } | RankChoice;

export interface ParsedMethod {
  readonly family: MethodFamily;
  /** Null for the methods that have none. */
  readonly setting: MethodSetting | null;
}

/** Every family in the order of the tables. */
const METHOD_FAMILIES: readonly MethodFamily[] = [...WHOLE_MODELS, ...COMPRESS_METHODS];

/** Whether the family's ids carry a setting. */
export function isCompressed(family: MethodFamily): family is CompressMethod {
  return COMPRESS_METHODS.some((method) => method === family);
}

/** Splits METHOD of results.json; null for a method this page does not draw. */
export function parseMethod(method: MethodId): ParsedMethod | null {
  const at = method.indexOf('@');
  const name = at < 0 ? method : method.slice(0, at);
  const family = METHOD_FAMILIES.find((known) => known === name);
  if (family === undefined) return null;
  if (!isCompressed(family)) return at < 0 ? { family, setting: null } : null;
  if (at < 0) return null;
  const text = method.slice(at + 1);
  const setting = COMPRESSORS[family].keeps === 'ranks' ? rankSetting(text) : entriesSetting(text);
  return setting === null ? null : { family, setting };
}

/** The number of a setting: m, q, percent of energy or bytes; 0 for methods without one. */
export function settingValue(setting: MethodSetting | null): number {
  if (setting === null) return 0;
  switch (setting.by) {
    case 'entries':
    case 'energy':
      return setting.percent;
    case 'count':
      return setting.q;
    case 'fro':
      return setting.share;
    case 'ratio':
      return setting.ratio;
    case 'bytes':
      return setting.budget;
  }
}

/** The methods a recipe is shown with, in the order of the tables; PERU comes last. */
export function methodsOf(kind: GroupKind, recipe: Recipe): readonly MethodId[] {
  if (kind === 'loras') return ['finetuned', lowRankMethodId(recipe.rank)];
  if (kind === 'adapters') return [...WHOLE_MODELS, lowRankMethodId(recipe.rank)];
  const wanted = recipe.compressors.map((method) => sparseMethodId(method, recipe.keptPercent));
  return [...WHOLE_MODELS, ...wanted.sort(compareMethods)];
}

/** The method that the recipe's slider sets: PERU-FFT at m or PERU-LoRA at its ranks. */
export function peruMethod(kind: GroupKind, recipe: Recipe): MethodId {
  return kind === 'full'
    ? sparseMethodId('peru-fft', recipe.keptPercent)
    : lowRankMethodId(recipe.rank);
}

/** Orders method ids as the tables do: by family, by kind of setting, then by its number. */
export function compareMethods(a: MethodId, b: MethodId): number {
  const [left, right] = [parseMethod(a), parseMethod(b)];
  if (left === null || right === null) return a < b ? -1 : a > b ? 1 : 0;
  return (
    METHOD_FAMILIES.indexOf(left.family) - METHOD_FAMILIES.indexOf(right.family) ||
    settingOrder(left.setting) - settingOrder(right.setting) ||
    settingValue(left.setting) - settingValue(right.setting)
  );
}

const SETTING_ORDER: readonly MethodSetting['by'][] = [
  'entries',
  'count',
  'energy',
  'fro',
  'ratio',
  'bytes',
];

function settingOrder(setting: MethodSetting | null): number {
  return setting === null ? -1 : SETTING_ORDER.indexOf(setting.by);
}

function entriesSetting(text: string): MethodSetting | null {
  const percent = numberIn(text);
  return percent === null ? null : { by: 'entries', percent };
}

/** `8`, `energy=95` or `bytes=1000000`. */
function rankSetting(text: string): MethodSetting | null {
  const [name = '', value] = text.split('=');
  const number = numberIn(value ?? name);
  if (number === null) return null;
  if (value === undefined) return { by: 'count', q: number };
  switch (name) {
    case 'energy':
      return { by: name, percent: number };
    case 'fro':
      return { by: name, share: number };
    case 'ratio':
      return { by: name, ratio: number };
    case 'bytes':
      return { by: name, budget: number };
    default:
      return null;
  }
}

function numberIn(text: string): number | null {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : null;
}
