import { describe, expect, it } from 'vitest';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import {
  compareMethods,
  lowRankMethodId,
  methodsOf,
  parseMethod,
  peruMethod,
} from './parsed-method';

const RANKS = [
  { by: 'count', q: 8 },
  { by: 'energy', percent: 97.5 },
  { by: 'fro', share: 0.9 },
  { by: 'ratio', ratio: 20 },
  { by: 'bytes', budget: 1_000_000 },
] as const;

describe('methods', () => {
  it('reads every id it writes', () => {
    for (const rank of RANKS) {
      for (const kind of ['full', 'adapters'] as const) {
        const methods = methodsOf(kind, { ...DEFAULT_RECIPE, keptPercent: 0.5, rank });
        for (const method of methods) expect(parseMethod(method), method).not.toBeNull();
        expect(methods.at(-1)).toBe(
          peruMethod(kind, { ...DEFAULT_RECIPE, keptPercent: 0.5, rank }),
        );
      }
      expect(parseMethod(lowRankMethodId(rank))).toEqual({ family: 'peru-lora', setting: rank });
    }
    expect(parseMethod('peru-fft@0.5')).toEqual({
      family: 'peru-fft',
      setting: { by: 'entries', percent: 0.5 },
    });
    expect(parseMethod('merged')).toEqual({ family: 'merged', setting: null });
  });

  it('leaves ids alone that it does not know', () => {
    const strange = ['peru-fft@many', 'peru-lora@', 'peru-lora@depth=3', 'merge:ties', 'merged@3'];
    for (const method of [...strange, 'peru-fft', '']) expect(parseMethod(method)).toBeNull();
  });

  it('shows a group by its kind, PERU last', () => {
    expect(methodsOf('full', DEFAULT_RECIPE)).toEqual([
      'pretrained',
      'finetuned',
      'merged',
      'post-pruning@10',
      'peru-fft@10',
    ]);
    expect(methodsOf('adapters', DEFAULT_RECIPE)).toEqual([
      'pretrained',
      'finetuned',
      'merged',
      'peru-lora@8',
    ]);
  });

  it('orders by family, then by setting as a number', () => {
    const ordered = [
      'pretrained',
      'merged',
      'post-pruning@10',
      'peru-fft@5',
      'peru-fft@10',
      'peru-lora@4',
      'peru-lora@16',
      'peru-lora@energy=95',
      'peru-lora@bytes=900',
      'peru-lora@bytes=1000',
    ];
    expect([...ordered].reverse().sort(compareMethods)).toEqual(ordered);
    expect([...ordered].sort().sort(compareMethods)).toEqual(ordered);
  });
});
