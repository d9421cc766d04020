/** Every way to store kept values, in the order in which the page lists them. */
import { type ValueDtype } from '@/tensor/dtype';
import { floatValues } from './float-values';
import { I8_VALUES } from './i8-values';
import { type ValueCodec } from './value-codec';

export const VALUE_CODECS: Readonly<Record<ValueDtype, ValueCodec>> = {
  F16: floatValues('F16'),
  BF16: floatValues('BF16'),
  F32: floatValues('F32'),
  I8: I8_VALUES,
};
