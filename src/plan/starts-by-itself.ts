import { type ByteTally } from '@/core/byte-tally';
import { type Finding, type MemoryReport } from './preflight';

/**
 * Bytes that may move without a word: the embedded demos and small models, a few seconds on a
 * slow line and nothing that a metered one would feel.
 */
export const MAX_UNASKED_BYTES = 64 * 2 ** 20;

/** Whether loading need not wait for a word: nothing to look at, nothing large, all in memory. */
export function startsByItself(preflight: {
  readonly findings: readonly Finding[];
  readonly bytes: ByteTally;
  readonly memory: Pick<MemoryReport, 'mode'>;
}): boolean {
  const { findings, bytes, memory } = preflight;
  const moved = bytes.toFetchBytes + bytes.neededBytes;
  return (
    findings.every(({ level }) => level !== 'warning') &&
    moved < MAX_UNASKED_BYTES &&
    memory.mode === 'resident'
  );
}
