import { describe, expect, it } from 'vitest';
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { header } from '@/plan/headers.fixture';
import { adapterTally } from '@/plan/tensor-tally';
import { adapterFindings } from './adapter-findings';

/** A plan of adapters that change these weights, and bring these tensors whole. */
function planOf(
  adapters: readonly { weights: readonly string[]; copies?: readonly string[]; rank?: number }[],
): AdapterPlan {
  const stored = {
    name: 'x',
    dtype: 'F32' as const,
    shape: [2, 2],
    elementCount: 4,
    byteStart: 0,
    byteLength: 16,
    fileName: 'x',
    source: new Blob([]),
  };
  const location = { tensor: stored, vectors: 'rows' as const };
  const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();
  return {
    adapters: adapters.map(({ weights, copies = [], rank = 16 }, i) => ({
      name: `t${i + 1}`,
      modules: weights.map((weight) => {
        const layer = 'linear' as const;
        return {
          weight,
          rows: 2,
          columns: 2,
          layer,
          rank,
          scale: 1,
          left: location,
          right: location,
        };
      }),
      copies: new Map(copies.map((name) => [name, stored])),
      replaced: new Map(copies.map((name) => [name, stored])),
      own: [],
      tied: [],
      names: new Map([...weights, ...copies].map((name) => [name, name])),
      nameChanges: [],
      isSameKind: null,
      wrappers: [],
      byteLength: 100,
      parameterCount: 8,
    })),
    adaptedWeights: sorted(adapters.flatMap(({ weights }) => weights)),
    replacedTensors: sorted(adapters.flatMap(({ copies = [] }) => copies)),
    adaptedNames: new Map(),
  };
}

function told(plan: AdapterPlan, trainedOn: readonly (string | null)[] = []) {
  const models = ['base', ...plan.adapters.map(({ name }) => name)].map((name) => {
    return { name, config: null, tokenizerHash: null, licence: 'mit' };
  });
  return adapterFindings({ plan, models, trainedOn, baseId: 'google/flan-t5-base@main' });
}

const same = planOf([{ weights: ['q', 'v'] }, { weights: ['q', 'v'] }]);

describe('adapterFindings', () => {
  it('has nothing against adapters of one kind', () => {
    const trainedOn = ['google/flan-t5-base', '/home/me/Flan-T5-base/'];
    expect(told(same, trainedOn)).toMatchObject([
      { level: 'ok', title: 'All 2 adapters change the same 2 weights of the base.' },
      { level: 'ok', topic: 'licence' },
    ]);
  });

  it('names the base that an adapter was trained on, where it is called otherwise', () => {
    const [first] = told(same, ['google/flan-t5-large', null]);
    expect(first).toMatchObject({ level: 'note', topic: 'architecture' });
    expect(first!.title).toBe('t1 was trained on “google/flan-t5-large”.');
  });

  it('tells of copies, and of modules and ranks that differ', () => {
    const plan = planOf([
      { weights: ['q'], copies: ['head'] },
      { weights: ['q', 'v'], rank: 8 },
    ]);
    const titles = told(plan).map(({ title }) => title);
    expect(titles).toContain('t1 brings 1 tensor whole.');
    expect(titles).toContain('2 adapters change 2 weights of the base, not all of them the same.');
    expect(titles).toContain('Ranks differ: from 8 to 16.');
  });

  it('counts the base’s tensors by what becomes of them', () => {
    const base = header('base', { q: [2, 2], v: [3, 2], head: [5], rest: [7] });
    const plan = planOf([{ weights: ['q'], copies: ['head'] }, { weights: ['q', 'v'] }]);
    expect(adapterTally(plan, base)).toEqual({
      mergedTensors: 2,
      mergedElements: 10,
      untouchedTensors: 1,
      ownTensors: 1,
    });
  });
});
