import { describe, expect, it } from 'vitest';
import { type ErrorKind, errorFacts, PeruError } from '@/core/errors';
import { type Beside, wayOn } from './way-on';

const BESIDE: Beside = { canRetry: true, hasBudget: false, hidesPatterns: false };

function facts(kind: ErrorKind, options: ConstructorParameters<typeof PeruError>[3] = {}) {
  return errorFacts(new PeruError(kind, 'It failed.', 'Look.', options));
}

const choices = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `${i}`, name: `model ${i}` }));

describe('wayOn', () => {
  it('is no second try where the same would fail in the same way', () => {
    for (const kind of ['parse', 'mismatch', 'unsupported', 'source', 'internal'] as const) {
      expect(wayOn(facts(kind), BESIDE), kind).toBeNull();
    }
  });

  it('is a second try where the trouble may be over, and there is one to be had', () => {
    for (const kind of ['device-lost', 'worker-stopped', 'out-of-memory'] as const) {
      expect(wayOn(facts(kind), BESIDE), kind).toBe('retry');
    }
    expect(wayOn(facts('source', { mayPass: true }), BESIDE)).toBe('retry');
    expect(wayOn(facts('device-lost'), { ...BESIDE, canRetry: false })).toBeNull();
  });

  it('is what the visitor alone can say, before any second try', () => {
    expect(wayOn(facts('non-finite'), BESIDE)).toBe('go-on');
    expect(wayOn(facts('non-finite', { exclude: ['a.*'] }), BESIDE)).toBe('leave-out');
    expect(wayOn(facts('unsupported', { exclude: ['a.*'] }), BESIDE)).toBe('leave-out');
    expect(wayOn(facts('out-of-memory'), { ...BESIDE, hasBudget: true })).toBe('default-budget');
    expect(wayOn(facts('mismatch'), { ...BESIDE, hidesPatterns: true })).toBe('all-tensors');
    expect(wayOn(facts('choose-repo', { choices: choices(1) }), BESIDE)).toBe('choice');
    expect(wayOn(facts('choose-base', { choices: choices(3) }), BESIDE)).toBeNull();
  });

  it('is told by facts that cross to the page', () => {
    const crossed = structuredClone(facts('source', { mayPass: true }));
    expect(wayOn(crossed, BESIDE)).toBe('retry');
  });
});
