/** Exports that WebGPU made, opened again on WebGPU: the same bits that were scored. */
import { expect, it } from 'vitest';
import { type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import { RECIPE, roundTrip } from './reopen.fixture';

const CASES: readonly { readonly values: ValueDtype; readonly merged: FloatDtype }[] = [
  { values: 'F32', merged: 'F32' },
  { values: 'F16', merged: 'F16' },
  { values: 'BF16', merged: 'BF16' },
  { values: 'I8', merged: 'F16' },
];

it.each(CASES)('merged as $merged with values of $values', async ({ values, merged }) => {
  const { differing, compared, engine } = await roundTrip({
    ...RECIPE,
    valueDtype: values,
    mergedDtype: merged,
  });
  expect([engine, differing, compared]).toEqual(['webgpu', [], 9]);
});
