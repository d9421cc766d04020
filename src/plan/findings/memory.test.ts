import { describe, expect, it } from 'vitest';
import { type MemoryReport } from '@/plan/preflight';
import { MAX_UNASKED_BYTES, startsByItself } from '@/plan/starts-by-itself';
import { finding } from './finding';
import { memoryFindings } from './memory';

const report: MemoryReport = {
  mode: 'resident',
  peakBytes: 1e9,
  leastBytes: 1e8,
  parts: [],
  budgetBytes: 2e9,
  suggestedBudgetBytes: 2e9,
  readsPerByte: 1,
  diskBytes: 5e9,
  freeDiskBytes: 6e9,
};

describe('memoryFindings', () => {
  it('has nothing to say of what fits', () => {
    expect(memoryFindings(report)).toEqual([]);
    expect(memoryFindings({ ...report, freeDiskBytes: null })).toEqual([]);
  });

  it('says how often streamed weights are read', () => {
    const [one] = memoryFindings({ ...report, mode: 'streamed', readsPerByte: 3 });
    expect(one).toMatchObject({ level: 'note', topic: 'memory' });
    expect(one!.title).toContain('2.0 GB');
    expect(one!.detail).toContain('read 3 times');
  });

  it('promises nothing where not even streaming fits', () => {
    expect(memoryFindings({ ...report, mode: 'streamed', leastBytes: 3e9 })).toEqual([]);
  });

  it('warns where the disk is too small', () => {
    const [one] = memoryFindings({ ...report, freeDiskBytes: 2.5e8 });
    expect(one).toMatchObject({ level: 'warning', topic: 'disk' });
    expect(one!.title).toBe('Keeping the files takes 5.0 GB, and the browser has room for 250 MB.');
  });
});

describe('startsByItself', () => {
  const note = finding({ level: 'note', topic: 'names', title: 'Something.' });
  const small = {
    findings: [note],
    bytes: { neededBytes: 1e6, toFetchBytes: 1e6, keptBytes: 0 },
    memory: { mode: 'resident' as const },
  };

  it('starts what is small, resident and without a warning', () => {
    expect(startsByItself(small)).toBe(true);
    expect(startsByItself({ ...small, findings: [{ ...note, level: 'warning' }] })).toBe(false);
    expect(startsByItself({ ...small, memory: { mode: 'streamed' } })).toBe(false);
  });

  it('counts what is fetched and what is loaded', () => {
    const half = MAX_UNASKED_BYTES / 2;
    const bytes = { neededBytes: half, toFetchBytes: half - 1, keptBytes: 0 };
    expect(startsByItself({ ...small, bytes })).toBe(true);
    expect(startsByItself({ ...small, bytes: { ...bytes, toFetchBytes: half } })).toBe(false);
  });
});
