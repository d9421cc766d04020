/**
 * Exports as Peru has written them: each opens for ever, and the same input gives the same bytes
 * (`e2e/export.spec.ts` asks that of the demos'). Add to `e2e/goldens`; change nothing in it.
 */
import { describe, expect, it } from 'vitest';
import { goldenFiles } from '../../../e2e/golden-files';
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { type Finding } from '@/plan/preflight';
import { type SourceRequest } from '@/protocol/requests';
import { createReferenceEngine } from '@/reference/engine';
import {
  adapterBase,
  adapterGroup,
  dropped,
  exportOf,
  FULL_REQUEST,
  preflightOf,
  RECIPE,
} from './reopen.fixture';

/** Whose sums, in float64, no faster code ever changes. */
const ON_REFERENCE = {
  chooseEngine: () => Promise.resolve({ engine: createReferenceEngine(), device: null }),
};
const ADAPTERS: SourceRequest = { kind: 'files', files: adapterGroup() };

/** What each was made from, and what opens beside it. */
const SMALL = [
  { name: 'full-f16', request: FULL_REQUEST, recipe: RECIPE, beside: [] },
  {
    name: 'full-i8-by-tensor',
    request: FULL_REQUEST,
    recipe: {
      ...RECIPE,
      mergeMethod: 'simple-average',
      scope: 'tensor',
      valueDtype: 'I8',
      // Written before there was a choice.
      rescale: 'none',
      mergedDtype: 'F16',
    },
    beside: [],
  },
  {
    name: 'full-bf16-of-f32',
    request: FULL_REQUEST,
    recipe: { ...RECIPE, keptPercent: 0.7, valueDtype: 'F32', mergedDtype: 'BF16' },
    beside: [],
  },
  { name: 'adapters-by-count', request: ADAPTERS, recipe: RECIPE, beside: adapterBase() },
  {
    name: 'adapters-by-energy',
    request: ADAPTERS,
    recipe: { ...RECIPE, mergeMethod: 'simple-average', rank: { by: 'energy', percent: 80 } },
    beside: adapterBase(),
  },
  {
    name: 'adapters-by-bytes',
    request: ADAPTERS,
    recipe: { ...RECIPE, rank: { by: 'bytes', budget: 200 } },
    beside: adapterBase(),
  },
] as const;

const DEMOS = [
  { name: 'fft-m5', kind: 'full', checkpoints: ['merged', 'digits', 'street-digits'] },
  { name: 'lora-q4', kind: 'adapters', checkpoints: ['t5-tiny', 'acceptability', 'entailment'] },
];

/** Whether these files are the recipe's own is in doubt. */
function doubts(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ level, topic }) => level === 'warning' && topic === 'sources');
}

describe.each(SMALL)('$name', ({ name, request, recipe, beside }) => {
  it('is written with the same bytes today', async () => {
    const files = await exportOf(request, recipe, ON_REFERENCE);
    const golden = goldenFiles(name);
    expect([...files.keys()].sort()).toEqual([...golden.keys()].sort());
    for (const [path, bytes] of files) {
      expect(Buffer.compare(bytes, golden.get(path)!), path).toBe(0);
    }
  });

  it('opens', async () => {
    const files = [...dropped(goldenFiles(name)), ...beside];
    const { checkpoints, findings } = await preflightOf({ kind: 'files', files });
    expect(checkpoints).toHaveLength(3);
    expect(doubts(findings)).toEqual([]);
  });
});

describe.each(DEMOS)('the demo $name', ({ name, kind, checkpoints }) => {
  usePageFiles();

  it('opens, with its base and its test sets', async () => {
    const opened = await preflightOf({ kind: 'files', files: dropped(goldenFiles(name)) });
    expect(opened.kind).toBe(kind);
    expect(opened.checkpoints.map((one) => one.name)).toEqual(checkpoints);
    expect(doubts(opened.findings)).toEqual([]);
  });
});
