import { describe, expect, it } from 'vitest';
import { methodsOf } from '@/recipe/parsed-method';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import { methodLabel } from './method-label';

describe('methodLabel', () => {
  it('names methods as the tables do, by what the group holds', () => {
    const labels = (kind: 'full' | 'adapters') =>
      methodsOf(kind, DEFAULT_RECIPE).map((method) => methodLabel(method, kind));
    expect(labels('full')).toEqual([
      'Pretrained',
      'Fine-tuned',
      'Merged',
      'Post-Pruning (10 %)',
      'PERU-FFT (10 %)',
    ]);
    expect(labels('adapters')).toEqual([
      'Pretrained',
      'Single-task LoRA',
      'Merged adapters',
      'PERU-LoRA (q = 8)',
    ]);
  });

  it('says how ranks were chosen, and leaves unknown ids alone', () => {
    expect(methodLabel('peru-lora@energy=95', 'adapters')).toBe('PERU-LoRA (95 % energy)');
    expect(methodLabel('peru-lora@bytes=1200000', 'adapters')).toBe('PERU-LoRA (1.20 MB budget)');
    expect(methodLabel('merge:ties', 'full')).toBe('merge:ties');
  });
});
