/** What is decided of LoRA files, in the page's address. Pure. */
import { type RankChoice } from '@/methods/peru-lora';
import { DEFAULT_LORA, LORA_SPELLINGS, type LoraChoices } from '@/recipe/lora-choices';
import { CAP, RANK, WEIGHT, withinBounds } from './bounds';

/** Its own parameters, beside those of ranks. */
export const LORA_PARAMETERS = [
  'make',
  'cap',
  'conv',
  'spelling',
  'alpha',
  'carried',
  'weight',
] as const;

type Parameters = readonly (readonly [string, string])[];

/**
 * `make=one&weight=FILE:0.5` (each file that is not 1), `cap=64`, `conv=8` (ranks of convolutions),
 * `spelling=peft`, `alpha=rank`, `carried=leave`; what is as it comes is left out.
 */
export function loraParameters(lora: LoraChoices): Parameters {
  const { make, cap, convolutions, spelling, alpha, carried, weights } = lora;
  return [
    ...(make === 'one' ? [['make', make] as const] : []),
    ...(cap === null ? [] : [['cap', String(cap)] as const]),
    ...(convolutions?.by === 'count' ? [['conv', String(convolutions.q)] as const] : []),
    ...(spelling === 'source' ? [] : [['spelling', spelling] as const]),
    ...(alpha === 'ratio' ? [] : [['alpha', alpha] as const]),
    ...(carried === 'keep' ? [] : [['carried', carried] as const]),
    ...Object.entries(weights)
      .filter(([, weight]) => weight !== 1)
      .map(([file, weight]) => ['weight', `${file}:${weight}`] as const),
  ];
}

/** Null where it says nothing of them. */
export function readLoraParameters(query: URLSearchParams): LoraChoices | null {
  if (!LORA_PARAMETERS.some((name) => query.has(name))) return null;
  const cap = wholeOf(query.get('cap'), CAP);
  const conv = wholeOf(query.get('conv'), RANK);
  const convolutions: RankChoice | null = conv === null ? null : { by: 'count', q: conv };
  return {
    make: query.get('make') === 'one' ? 'one' : DEFAULT_LORA.make,
    cap,
    convolutions,
    spelling: LORA_SPELLINGS.find((one) => one === query.get('spelling')) ?? DEFAULT_LORA.spelling,
    alpha: query.get('alpha') === 'rank' ? 'rank' : DEFAULT_LORA.alpha,
    carried: query.get('carried') === 'leave' ? 'leave' : DEFAULT_LORA.carried,
    weights: Object.fromEntries(query.getAll('weight').flatMap(weightIn)),
  };
}

function wholeOf(text: string | null, bounds: typeof RANK): number | null {
  if (text === null || text.trim() === '') return null;
  return withinBounds(bounds, Number(text));
}

function weightIn(text: string): (readonly [string, number])[] {
  const at = text.lastIndexOf(':');
  const weight =
    text.slice(at + 1).trim() === '' ? null : withinBounds(WEIGHT, Number(text.slice(at + 1)));
  return at < 1 || weight === null ? [] : [[text.slice(0, at), weight]];
}
