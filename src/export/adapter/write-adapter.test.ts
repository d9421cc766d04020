import { describe, expect, it } from 'vitest';
import { planAdapters } from '@/plan/adapters/plan-adapters';
import { PEFT } from '@/formats/peft/peft-format';
import { type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { readAdapterConfig } from '@/formats/peft/config';
import { GOLDEN_CASES, goldenBase, goldenSource } from '@/formats/peft/golden-adapters.fixture';
import { readProducts, readStored } from '@/formats/lora/read-products';
import { decodeFloats } from '@/tensor/half';
import { type BalancedFactors, type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { adapterConfig, NO_SETTINGS } from './adapter-config';
import { adapterFolderSize, adapterHeader, type WrittenModule } from './adapter-size';
import { type MemoryFolder, memoryFolder } from '@/export/memory-folder.fixture';
import { type HeaderEntry } from '@/export/safetensors-writer';
import { verifyFile } from '@/export/verify-file';
import { writeAdapter, type WriteAdapterSpec } from './write-adapter';

/** A factor's vectors as rows: [rank, length]. */
function asRows({ bytes, dtype, vectors }: Factor, rank: number): Float32Array<ArrayBuffer> {
  const values = decodeFloats(bytes, dtype);
  if (vectors === 'rows') return values;
  return transposed(values, rank);
}

function transposed(values: Float32Array, columns: number): Float32Array<ArrayBuffer> {
  const rows = values.length / columns;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Δ of one term, in float64. */
function delta({ rows, columns, terms }: LowRankProduct): number[] {
  const { rank, coefficient, left, right } = terms[0]!;
  const [l, r] = [asRows(left, rank), asRows(right, rank)];
  return Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += l[k * rows + row]! * r[k * columns + column]!;
    return coefficient * sum;
  });
}

/** The product itself, with its scale in b: what a factorisation at full rank stands for. */
function balanced({ rows, terms }: LowRankProduct): BalancedFactors {
  const { rank, coefficient, left, right } = terms[0]!;
  const b = transposed(asRows(left, rank), rows).map((value) => value * coefficient);
  return { rank, a: asRows(right, rank), b };
}

function folderSource(folder: MemoryFolder, name: string) {
  return { id: name, name, folder: name, open: (path: string) => folder.open(`${name}/${path}`) };
}

async function opened(name: string) {
  const base = await goldenBase(`cases/${name}`);
  const adapter = await PEFT.open(goldenSource(`cases/${name}`));
  const planned = planAdapters({ base, adapters: [adapter] }).adapters[0]!;
  return { base, planned, products: await readProducts(planned) };
}

function specOf(planned: PlannedAdapter, products: readonly LowRankProduct[]): WriteAdapterSpec {
  return {
    modules: planned.modules.map((module): WrittenModule => {
      const { weight: name, rows, columns, rank, layer } = module;
      return { name, rows, columns, rank, layer };
    }),
    copies: [...planned.replaced.values()].map(({ name, dtype, shape }): HeaderEntry => {
      return { name, dtype, shape };
    }),
    baseModel: 'owner/base',
    factorsOf: ({ name }) => Promise.resolve(balanced(products.find((one) => one.name === name)!)),
    readCopy: async (name, start, end) => {
      return (await readStored(planned.replaced.get(name)!)).slice(start, end);
    },
  };
}

describe.each(GOLDEN_CASES)('the golden adapter %s, written again', (name) => {
  it('is the same adapter to the reader, in the bytes that were told', async () => {
    const { base, planned, products } = await opened(name);
    const folder = memoryFolder();
    const spec = specOf(planned, products);
    const written = await writeAdapter(folder, 'task', spec);
    for (const file of written) await verifyFile(await folder.open(file.path), file);
    expect([...folder.files].map(([path, { length }]) => ({ name: path, bytes: length }))).toEqual(
      adapterFolderSize('task', spec),
    );

    const again = await PEFT.open(folderSource(folder, 'task'));
    expect(again.metadata.baseModel).toBe('owner/base');
    const plan = planAdapters({ base, adapters: [again] }).adapters[0]!;
    const facts = ({ modules }: PlannedAdapter) =>
      modules.map(({ weight, rows, columns, rank }) => ({ weight, rows, columns, rank }));
    expect(facts(plan)).toEqual(facts(planned));
    for (const { scale } of plan.modules) expect(scale).toBe(1);
    const readAgain = await readProducts(plan);
    for (const [i, product] of products.entries()) {
      const exact = delta(product);
      const most = exact.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      for (const [at, value] of delta(readAgain[i]!).entries()) {
        // b was rounded once, after the scale.
        expect(Math.abs(value - exact[at]!)).toBeLessThanOrEqual(1e-6 * most);
      }
    }
    expect([...plan.replaced.keys()].sort()).toEqual([...planned.replaced.keys()].sort());
    for (const [copied, tensor] of planned.replaced) {
      const found = plan.replaced.get(copied)!;
      expect([found.dtype, found.shape]).toEqual([tensor.dtype, tensor.shape]);
      expect(await readStored(found)).toEqual(await readStored(tensor));
    }
  });

  it('is the same, byte for byte, the second time', async () => {
    const { planned, products } = await opened(name);
    const [first, second] = [memoryFolder(), memoryFolder()];
    await writeAdapter(first, 'task', specOf(planned, products));
    await writeAdapter(second, 'task', specOf(planned, products));
    expect([...second.files]).toEqual([...first.files]);
  });
});

describe('the configuration of an adapter', () => {
  /** PEFT's own rule (`utils/other.py`, `get_pattern_key`), by JavaScript's expressions. */
  const peftRank = (config: Record<string, unknown>, module: string): unknown => {
    const pattern = config['rank_pattern'] as Record<string, number>;
    const key = Object.keys(pattern).find((one) => new RegExp(`^(.*\\.)?(${one})$`).test(module));
    return pattern[key ?? module] ?? config['r'];
  };

  it.each([
    [['q', 'a.q', 'b.a.q']],
    [['b.a.q', 'a.q', 'q']],
    [['a.q', 'a_q', 'x.a_q', 'a.b.q', 'a.bxq']],
    [['layers.1.q', 'layers.11.q', 'xlayers.1.q', 'z.layers.1.q']],
    [['1', '0', 'a.0', 'a.1', '10']],
    [['a+b', 'aab', 'x(1).y', 'x1.y', '$.q', 'q']],
  ])('gives each of %j its own rank, to PEFT and to the reader', (names) => {
    // Each module in turn has the largest rank, which stands in no pattern.
    for (let turn = 0; turn < names.length; turn++) {
      const ranks = names.map((_, i) => 1 + ((i + turn) % names.length));
      const modules = names.map((name, i) => ({ name: `${name}.weight`, rank: ranks[i]! }));
      const json = adapterConfig({ modules });
      const config = readAdapterConfig(JSON.parse(JSON.stringify(json)), 'config');
      for (const [i, name] of names.entries()) {
        expect(peftRank(json, name), name).toBe(ranks[i]);
        expect(config.settingsOf(name), name).toEqual({ rank: ranks[i], scale: 1 });
        expect(config.isTarget(name), name).toBe(true);
      }
    }
  });

  it('keeps names plain where no other module ends as they do', () => {
    const modules = [
      { name: 'encoder.q.weight', rank: 1 },
      { name: 'decoder.q.weight', rank: 2 },
      { name: 'q.weight', rank: 3 },
      { name: 'x.decoder.q.weight', rank: 4 },
    ];
    expect(adapterConfig({ modules })['rank_pattern']).toEqual({
      'encoder.q': 1,
      '^decoder\\.q': 2,
      '^q': 3,
    });
  });

  it('announces copies by what PEFT calls them', () => {
    const modules = [{ name: 'q.weight', rank: 2 }];
    const of = (...names: string[]) => {
      const copies = names.map((name): HeaderEntry => ({ name, dtype: 'F32', shape: [1] }));
      const { bias, modules_to_save: saved } = adapterConfig({ modules, copies });
      return { bias, saved };
    };
    expect(of()).toEqual({ bias: 'none', saved: undefined });
    expect(of('q.bias')).toEqual({ bias: 'lora_only', saved: undefined });
    expect(of('q.bias', 'v.bias')).toEqual({ bias: 'all', saved: undefined });
    expect(of('head.weight', 'head.bias')).toEqual({ bias: 'none', saved: ['head'] });
    expect(of('e.token', 'e.patch.weight', 'e.patch.bias', 'e2.w')).toEqual({
      bias: 'none',
      saved: ['e', 'e2'],
    });
    expect(of('embed_tokens.weight')).toEqual({ bias: 'none', saved: undefined });
  });

  it('announces copies as the source did: a head of several layers is one module', () => {
    const modules = [{ name: 'q.weight', rank: 2 }];
    const copies = [
      'classifier.dense.weight',
      'classifier.dense.bias',
      'model.embed_tokens.weight',
    ];
    const entries = copies.map((name): HeaderEntry => ({ name, dtype: 'F32', shape: [1] }));
    const source = { ...NO_SETTINGS, modulesToSave: ['classifier', 'score', 'embed_tokens'] };
    const config = adapterConfig({ modules, copies: entries, source });
    expect(config['modules_to_save']).toEqual(['classifier', 'embed_tokens']);
    expect(config['bias']).toBe('none');
    expect(config).not.toHaveProperty('ensure_weight_tying');
    const tied = adapterConfig({
      modules,
      copies: entries,
      source: { ...source, tiesWeights: true },
    });
    expect(tied['ensure_weight_tying']).toBe(true);
  });

  it('writes modules under the names of the model that was adapted', () => {
    const modules = [1, 2].map((rank) => {
      const name = `encoder.layer.${rank}.attention.query.weight`;
      return { name, writtenName: `layers.${rank}.q_proj.weight`, rows: 3, columns: 2, rank };
    });
    expect(adapterConfig({ modules })).toMatchObject({
      target_modules: ['layers.1.q_proj', 'layers.2.q_proj'],
      rank_pattern: { 'layers.1.q_proj': 1 },
    });
    const { entries } = adapterHeader({ modules });
    expect(entries[0]!.name).toBe('base_model.model.layers.1.q_proj.lora_A.weight');
  });

  it('leaves copies where PEFT looks for them: in an adapted layer, behind base_layer', () => {
    const modules = [{ name: 'q.weight', rows: 1, columns: 1, rank: 1 }];
    const copies = ['q.bias', 'v.bias', 'head.weight'].map((name): HeaderEntry => {
      return { name, dtype: 'F32', shape: [1] };
    });
    const names = (rank: number) =>
      adapterHeader({ modules: [{ ...modules[0]!, rank }], copies })
        .entries.filter(({ name }) => !name.includes('lora_'))
        .map(({ name }) => name.replace('base_model.model.', ''));
    expect(names(1)).toEqual(['q.base_layer.bias', 'v.bias', 'head.weight']);
    // A layer without triplets is not adapted in the file.
    expect(names(0)).toEqual(['q.bias', 'v.bias', 'head.weight']);
  });

  it('passes on the base and the task type where they are known', () => {
    const modules = [{ name: 'q.weight', rank: 2 }];
    expect(adapterConfig({ modules })).toMatchObject({ base_model_name_or_path: null });
    expect(adapterConfig({ modules })).not.toHaveProperty('task_type');
    const modelClass = { name: 'ViTModel', library: 'transformers.models.vit.modeling_vit' };
    const source = { ...NO_SETTINGS, taskType: 'SEQ_2_SEQ_LM', modelClass };
    expect(adapterConfig({ modules, baseModel: 'a/b', source })).toMatchObject({
      base_model_name_or_path: 'a/b',
      task_type: 'SEQ_2_SEQ_LM',
      auto_mapping: {
        base_model_class: 'ViTModel',
        parent_library: 'transformers.models.vit.modeling_vit',
      },
    });
  });
});

describe('writing an adapter', () => {
  it('leaves out modules of rank 0, whose biases stand by themselves then', async () => {
    const { base, planned, products } = await opened('bias-all');
    const spec = specOf(planned, products);
    const [left, ...others] = spec.modules;
    const folder = memoryFolder();
    await writeAdapter(folder, 'task', { ...spec, modules: [{ ...left!, rank: 0 }, ...others] });
    const again = await PEFT.open(folderSource(folder, 'task'));
    const plan = planAdapters({ base, adapters: [again] }).adapters[0]!;
    expect(plan.modules.map(({ weight }) => weight)).toEqual(others.map(({ name }) => name));
    expect([...plan.replaced.keys()].sort()).toEqual([...planned.replaced.keys()].sort());
  });

  it.each([
    ['head.weight', 'decoder.head'],
    ['head.weight', 'head.inner'],
    ['logit_scale', 'q'],
  ])('refuses a copy of %s beside factors of %s', async (copy, module) => {
    const failure = writeAdapter(memoryFolder(), 'task', {
      modules: [{ name: `${module}.weight`, rows: 1, columns: 1, rank: 1 }],
      copies: [{ name: copy, dtype: 'F32', shape: [1] }],
      factorsOf: () => Promise.reject(new Error('nothing is asked for')),
      readCopy: () => Promise.reject(new Error('nothing is asked for')),
    });
    await expect(failure).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(failure).rejects.toThrow(/^task can not be written/);
  });

  it('refuses factors of another rank or size', async () => {
    const { planned, products } = await opened('plain');
    const spec = specOf(planned, products);
    const change = (more: (factors: BalancedFactors) => Partial<BalancedFactors>) => ({
      ...spec,
      factorsOf: async (module: WrittenModule) => {
        const factors = await spec.factorsOf(module);
        return { ...factors, ...more(factors) };
      },
    });
    const other = change(({ rank }) => ({ rank: rank + 1 }));
    await expect(writeAdapter(memoryFolder(), 't', other)).rejects.toThrow(RangeError);
    const short = change(({ a }) => ({ a: a.slice(1) }));
    await expect(writeAdapter(memoryFolder(), 't', short)).rejects.toThrow(/lora_A/);
  });
});
