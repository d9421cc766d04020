import { describe, expect, it } from 'vitest';
import { PEFT } from '@/formats/peft/peft-format';
import { baseOfAdapters } from './base-of-adapters';

describe('baseOfAdapters', () => {
  const repo = (name: string) => ({
    id: `id-${name}`,
    name,
    folder: name,
    weightsPath: 'model.safetensors',
    open: () => Promise.resolve(null),
  });
  const adapters = ['cola', 'mnli', 'mrpc', 'qnli'].map((name) => ({
    ...repo(name),
    format: PEFT,
  }));
  const [a, b] = [repo('a'), repo('b')];

  it('is the only full checkpoint', () => {
    expect(baseOfAdapters(adapters, [a], undefined)).toBe(a);
  });

  it('is asked for where full models came with adapters', () => {
    expect(() => baseOfAdapters(adapters, [a, b], undefined)).toThrow(
      expect.objectContaining({
        kind: 'choose-base',
        choices: [
          { id: 'id-a', name: 'a' },
          { id: 'id-b', name: 'b' },
        ],
      }) as Error,
    );
    expect(baseOfAdapters(adapters, [a, b], 'id-b')).toBe(b);
  });
});
