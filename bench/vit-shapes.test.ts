import { expect, test } from 'vitest';
import { flatLayout } from '@/tensor/layout';
import { VIT_B_32, VIT_QUICK, vitShapes } from './vit-shapes';

test('ViT-B/32 has the tensors and parameters of the checkpoint on the Hub', () => {
  const layout = flatLayout(vitShapes(VIT_B_32));
  expect(layout.tensors.length).toBe(199);
  expect(layout.elementCount).toBe(87_456_000);
});

test('the quick model is the same kind, between 2 and 4 M parameters', () => {
  const { elementCount } = flatLayout(vitShapes(VIT_QUICK));
  expect(elementCount).toBeGreaterThan(2e6);
  expect(elementCount).toBeLessThan(4e6);
});
