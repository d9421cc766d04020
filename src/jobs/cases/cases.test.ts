/** Folders as real programs leave them, each with its right result (scripts/make_case_headers.py). */
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { CASES, caseFiles } from './case-files.fixture';
import { openFiles } from './open-files.fixture';

describe('case files', () => {
  it.each(CASES)('%s: every safetensors file is sound', async (name) => {
    const weights = caseFiles(name).filter(({ path }) => path.endsWith('.safetensors'));
    expect(weights.length).toBeGreaterThan(0);
    for (const { path, file } of weights) {
      const header = await readSafetensorsHeader(file, path);
      expect(header.tensors.size).toBeGreaterThan(0);
    }
  });

  it('are the same bytes each time', async () => {
    const read = () =>
      Promise.all(caseFiles('36-lora-rank-over-dim').map(({ file }) => file.arrayBuffer()));
    const [one, other] = [await read(), await read()];
    expect(
      one.every((bytes, i) => Buffer.compare(Buffer.from(bytes), Buffer.from(other[i]!)) === 0),
    ).toBe(true);
  });
});

describe('plain input', () => {
  it('29-many-tasks: opens a base and 24 fine-tunes', async () => {
    const files = caseFiles('29-many-tasks');
    const { preflight, error } = await openFiles(files, 'base/model.safetensors');
    expect(error).toBeNull();
    expect(preflight?.checkpoints).toHaveLength(25);
  });
});
