/** Every way that a recipe may have kept values stored: one by one in a dtype, or packed. */
import { VALUE_DTYPES, type ValueDtype } from '@/tensor/dtype';
import { bitsPerValue, isPacked, PACKED_FORMATS, type PackedFormat } from './packed/packed-format';
import { VALUE_CODECS } from './value-codecs';

export type ValueFormat = ValueDtype | PackedFormat;

export const VALUE_FORMATS: readonly ValueFormat[] = [...VALUE_DTYPES, ...PACKED_FORMATS];

interface ValueWords {
  /** On the page. */
  readonly title: string;
  /** In a model card: what "kept values are stored as". */
  readonly card: string;
}

export function valueWords(format: ValueFormat): ValueWords {
  if (!isPacked(format)) return VALUE_CODECS[format];
  const bits = bitsPerValue(format);
  if (bits === 1) {
    return { title: '1 bit: the sign', card: 'signs, with one magnitude a tensor' };
  }
  const levels = 2 ** (bits - 1);
  return {
    title: `${bits} bits: sign and ${levels} magnitudes`,
    card: `${bits} bits each, a sign and one of the task’s ${levels} magnitudes`,
  };
}

/** Whether values are multiples of what a tensor's factor makes longer, at no byte more. */
export function hasFactor(format: ValueFormat): boolean {
  return isPacked(format) || VALUE_CODECS[format].scaleOf !== null;
}
