import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAdapters } from '@/plan/adapters/plan-adapters';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/core/errors';
import { SAFETENSORS_DTYPES } from '@/tensor/safetensors-dtype';
import { readPeftAdapter } from './read-adapter';
import { readAdapterConfig } from './config';
import {
  GOLDEN_CASES,
  GOLDEN_REFUSED,
  goldenBase,
  goldenFile,
  goldenSource,
} from './golden-adapters.fixture';
import { parseAdapterKey } from './keys';

type Json = Record<string, unknown>;

const folders = [
  ...GOLDEN_CASES.map((name) => `cases/${name}`),
  ...GOLDEN_REFUSED.map((name) => `refused/${name}`),
];
const configs = await Promise.all(
  folders.map(async (folder) => {
    const file = await goldenSource(folder).open('adapter_config.json');
    return JSON.parse(await file!.text()) as Json;
  }),
);
const cases = await Promise.all(
  GOLDEN_CASES.map(async (name, i) => {
    const weights = await goldenFile(`cases/${name}/adapter_model.safetensors`);
    return { config: configs[i]!, weights, base: await goldenBase(`cases/${name}`) };
  }),
);

/** True when accepted, false when refused properly; anything else that is thrown goes on. */
function accepts(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof PeruError)) throw error;
    expect(error.message.length).toBeLessThan(2000);
    expect(error.hint).not.toBe('');
    return false;
  }
}

const patterns = fc.constantFrom(
  'q',
  '.*q',
  '^(?!v).*$',
  '(q|v){2}',
  '[',
  '(',
  'a**',
  '(?i)Q',
  '\\',
  '1.q',
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(0, 1, 2, 3, -1, 1.5, 1e300, true, false, null, '', [], {}, 'all', 'LORA'),
  patterns,
  fc.array(patterns, { maxLength: 3 }),
  fc.dictionary(patterns, fc.integer({ min: 0, max: 5 }), { maxKeys: 3 }),
);
const fields = [...new Set(configs.flatMap((config) => Object.keys(config)))];
const edit = fc.tuple(fc.oneof(fc.constantFrom(...fields), fc.string()), fc.option(value));
const mutatedConfig = fc
  .tuple(fc.constantFrom(...configs), fc.array(edit, { maxLength: 4 }))
  .map(([config, edits]) => {
    const entries = new Map(Object.entries(config));
    for (const [field, replacement] of edits) {
      if (replacement === null) entries.delete(field);
      else entries.set(field, replacement);
    }
    return Object.fromEntries(entries);
  });

describe('hostile adapters', () => {
  it('have a configuration that is read or refused, never a crash', () => {
    let accepted = 0;
    const runs = 4000;
    fc.assert(
      fc.property(fc.oneof(mutatedConfig, fc.jsonValue()), fc.string(), (json, module) => {
        const read = accepts(() => {
          const config = readAdapterConfig(json, 'config');
          for (const name of [module, 'layers.0.q', 'transformer.h.1.attn.c_attn']) {
            const { rank, scale } = config.settingsOf(name);
            expect(Number.isSafeInteger(rank) && rank > 0 && Number.isFinite(scale)).toBe(true);
            expect(typeof config.isTarget(name)).toBe('boolean');
          }
        });
        if (read) accepted += 1;
      }),
      { numRuns: runs },
    );
    expect(accepted).toBeGreaterThan(runs / 20);
    expect(accepted).toBeLessThan(runs * 0.9);
  });

  it('have names that are read or refused, never a crash', () => {
    const keys = cases.flatMap(({ weights }) => [...weights.tensors.keys()]);
    const part = fc.constantFrom(
      'lora_A',
      'lora_B',
      'lora_embedding_A',
      'weight',
      'bias',
      'base_layer',
      'default',
      '',
      'modules_to_save',
      'original_module',
      'base_model.model',
      'lora_magnitude_vector',
    );
    const mutated = fc
      .tuple(fc.constantFrom(...keys), fc.array(fc.tuple(fc.nat(), part, fc.nat(2))))
      .map(([key, edits]) => {
        const parts = key.split('.');
        for (const [at, text, removed] of edits)
          parts.splice(at % (parts.length + 1), removed, text);
        return parts.join('.');
      });
    fc.assert(
      fc.property(fc.oneof(mutated, mutated, fc.string()), (key) => {
        accepts(() => {
          const parsed = parseAdapterKey(key, 'file');
          if (parsed.kind !== 'factor') return;
          const parts = key.split('.').filter((one) => one !== 'default' && one !== 'base_layer');
          expect(parts.join('.')).toContain(`${parsed.module}.lora_`);
        });
      }),
      { numRuns: 4000 },
    );
  });

  it('are planned soundly or refused, never half', () => {
    let accepted = 0;
    const runs = 3000;
    fc.assert(
      fc.property(mutatedCase, ({ config, weights, base }) => {
        const planned = accepts(() => {
          const read = { name: 'task', config: readAdapterConfig(config, 'config'), weights };
          const adapter = readPeftAdapter(read);
          expectSound(planAdapters({ base, adapters: [adapter] }).adapters[0]!, base);
        });
        if (planned) accepted += 1;
      }),
      { numRuns: runs },
    );
    expect(accepted).toBeGreaterThan(runs / 20);
    expect(accepted).toBeLessThan(runs * 0.9);
  });
});

/** One change to one tensor of the file. */
const tensorEdit = fc.record({
  which: fc.nat(),
  kind: fc.constantFrom('drop', 'rename', 'reshape', 'retype', 'copy'),
  segment: fc.nat(),
  text: fc.constantFrom(
    'weight',
    'bias',
    'lora_A',
    'lora_B',
    'q',
    'v',
    '0',
    'norm',
    'default',
    'é',
  ),
  dtype: fc.constantFrom(...SAFETENSORS_DTYPES),
  shape: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
});

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const mutatedCase = fc
  .tuple(
    fc.constantFrom(...cases),
    fc.array(tensorEdit, { maxLength: 2 }),
    rarely(mutatedConfig),
    rarely(fc.constantFrom(...cases)),
  )
  .map(([one, edits, config, other]) => {
    const tensors = [...one.weights.tensors.values()];
    for (const { which, kind, segment, text, dtype, shape } of edits) {
      const at = which % Math.max(1, tensors.length);
      const tensor = tensors[at];
      if (tensor === undefined) continue;
      const parts = tensor.name.split('.');
      parts[segment % parts.length] = text;
      const changed = {
        drop: [],
        rename: [{ ...tensor, name: parts.join('.') }],
        reshape: [{ ...tensor, shape, elementCount: shape.reduce((a, b) => a * b, 1) }],
        retype: [{ ...tensor, dtype }],
        copy: [tensor, { ...tensor, name: parts.join('.') }],
      }[kind] satisfies StoredTensor[];
      tensors.splice(at, 1, ...changed);
    }
    const weights: CheckpointTensors = {
      ...one.weights,
      tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    };
    return { config: config ?? one.config, weights, base: other?.base ?? one.base };
  });

/** Whatever is accepted fits: every factor its weight, every copy its tensor, and none is left. */
function expectSound(
  { modules, replaced }: ReturnType<typeof planAdapters>['adapters'][number],
  base: CheckpointTensors,
): void {
  expect(modules.length).toBeGreaterThan(0);
  expect(new Set(modules.map(({ weight }) => weight)).size).toBe(modules.length);
  for (const { weight, rows, columns, rank, scale, left, right } of modules) {
    expect(rows * columns).toBe(base.tensors.get(weight)!.elementCount);
    for (const [{ tensor, vectors }, length] of [
      [left, rows],
      [right, columns],
    ] as const) {
      expect(['F32', 'F16', 'BF16']).toContain(tensor.dtype);
      expect(tensor.elementCount).toBe(rank * length);
      expect(tensor.shape[vectors === 'rows' ? 0 : 1]).toBe(rank);
    }
    expect(Number.isFinite(scale)).toBe(true);
  }
  for (const [name, copy] of replaced) {
    expect(copy.shape).toEqual(base.tensors.get(name)!.shape);
  }
}
