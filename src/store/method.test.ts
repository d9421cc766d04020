import { describe, expect, it } from 'vitest';
import { compareMethods, methodLabel, methodsAt, parseMethod } from './method';

describe('methods', () => {
  it('reads every id it writes', () => {
    for (const method of methodsAt(0.5)) expect(parseMethod(method)).not.toBeNull();
    expect(parseMethod('peru-fft@0.5')).toEqual({ family: 'peru-fft', percent: 0.5 });
    expect(parseMethod('merged')).toEqual({ family: 'merged', percent: null });
  });

  it('leaves ids alone that it does not know', () => {
    expect(parseMethod('peru-lora@8')).toBeNull();
    expect(parseMethod('peru-fft@many')).toBeNull();
    expect(methodLabel('merge:ties')).toBe('merge:ties');
  });

  it('names methods as the tables do', () => {
    expect(methodsAt(10).map(methodLabel)).toEqual([
      'Pretrained',
      'Fine-tuned',
      'Merged',
      'Post-Pruning (10 %)',
      'PERU-FFT (10 %)',
    ]);
  });

  it('orders by family, then by m as a number', () => {
    const shuffled = ['peru-fft@10', 'merged', 'peru-fft@5', 'pretrained', 'post-pruning@10'];
    expect(shuffled.sort(compareMethods)).toEqual([
      'pretrained',
      'merged',
      'post-pruning@10',
      'peru-fft@5',
      'peru-fft@10',
    ]);
  });
});
