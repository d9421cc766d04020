import { bytesPerElement } from '@/tensor/dtype';
import { type FactorFacts } from './lora-contents';

/** Bytes of one more triplet as this module is written. */
export function loraTripletBytes(
  one: Pick<FactorFacts, 'rows' | 'columns' | 'upDtype' | 'downDtype'>,
) {
  return one.rows * bytesPerElement(one.upDtype) + one.columns * bytesPerElement(one.downDtype);
}
