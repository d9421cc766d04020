import { describe, expect, it } from 'vitest';
import { clipPreflight, streamedPreflight } from '@/ui/preflight.fixture';
import { blockedText, headline, measuredText, modeText, startText } from './preflight-text';

/** As it is read: with the blanks and hyphens that do not break. */
const read = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u2011', '-');

describe('the headline', () => {
  it('says in one sentence what Start will do', () => {
    expect(read(headline(clipPreflight()))).toBe(
      'Merge 8 fine-tunes of clip-vit-base-patch32: 199 tensors, 87.5 M parameters.',
    );
    const { checkpoints, tensors } = clipPreflight();
    const one = clipPreflight({
      kind: 'adapters',
      checkpoints: checkpoints.slice(0, 2),
      tensors: { ...tensors, mergedTensors: 1 },
    });
    expect(read(headline(one))).toBe(
      'Merge 1 adapter of clip-vit-base-patch32: 1 adapted weight, 87.5 M parameters.',
    );
  });
});

describe('what Start sets off', () => {
  const bytes = { neededBytes: 2e9, toFetchBytes: 0, keptBytes: 2e9 };

  it('is a number of bytes, and a time only where there is one to tell', () => {
    expect(startText(clipPreflight({ bytes }), null)).toBe(
      '2.00 GB to read from this disk, nothing to fetch',
    );
    expect(startText(clipPreflight({ bytes: { ...bytes, keptBytes: 0 } }), null)).toBe(
      '2.00 GB to read from this disk',
    );
    const time = { seconds: 190, rate: 42e6, from: 'measured' } as const;
    expect(startText(clipPreflight(), time)).toBe(
      '1.40 GB to fetch · about 3 min at the 42.0 MB a second measured here last time',
    );
  });
});

describe('memory', () => {
  const { memory } = streamedPreflight();

  it('is resident, or streamed with what that means', () => {
    expect(modeText(clipPreflight().memory, 'on the GPU')).toMatch(/^Resident: .* on the GPU,/);
    expect(modeText(memory, 'in memory')).toMatch(/stays in memory; .* 3 times, piece by piece/);
    expect(modeText({ ...memory, readsPerByte: 2.25 }, '')).toContain('about 2.3 times');
  });

  it('as measured stands against the plan', () => {
    expect(measuredText(0.9e9, { ...memory, peakBytes: 1e9 })).toBe('900 MB, 90 % of the plan');
    expect(measuredText(5, { ...memory, peakBytes: 0 })).toBe('5 B');
  });

  it('that does not suffice says how much would', () => {
    const need = { ...memory, leastBytes: 2.001e9, peakBytes: 2.001e9, budgetBytes: 1e9 };
    const small = clipPreflight({ memory: need });
    expect(blockedText('too-small', small)).toBe(
      'Even streamed, this needs 2.01 GB of memory in all, and the budget is 1.00 GB: give it more, or leave tensors out.',
    );
    expect(blockedText('ready', small)).toBe('');
    const exact = clipPreflight({ memory: { ...need, leastBytes: 2e9 } });
    expect(blockedText('too-small', exact), 'no more than it takes').toContain('needs 2.00 GB');
    const adapters = clipPreflight({ kind: 'adapters', memory: { ...need, mode: 'resident' } });
    expect(blockedText('too-small', adapters)).toBe(
      'This needs 2.01 GB of memory in all, and the budget is 1.00 GB: give it more.',
    );
  });
});
