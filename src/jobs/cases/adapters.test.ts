/** Adapters as PEFT, transformers and trainers leave them, each with its right result. */
import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { type MemoryStore } from '@/jobs/context/memory-store.fixture';
import { type AddedFile } from '@/protocol/requests';
import { caseFiles, filesOf, seededValues, type ValuesOf } from './case-files.fixture';
import { exportFiles, openFiles } from './open-files.fixture';

/** Titles of what is to look at and what was handled. */
async function told(files: readonly AddedFile[]): Promise<string[]> {
  const { preflight, error } = await openFiles(files);
  expect(error).toBeNull();
  return preflight!.findings
    .filter(({ topic, level }) => topic !== 'licence' && level !== 'ok')
    .map(({ level, title }) => `${level}: ${title}`);
}

async function shapesIn(store: MemoryStore, path: string): Promise<Record<string, number[]>> {
  const { tensors } = await readSafetensorsHeader(new Blob([store.files.get(path)!]), path);
  return Object.fromEntries(
    [...tensors].map(([name, { shape }]) => [name.replace('base_model.model.', ''), [...shape]]),
  );
}

function configIn(store: MemoryStore, folder: string): Record<string, unknown> {
  const text = new TextDecoder().decode(store.files.get(`${folder}/adapter_config.json`));
  return JSON.parse(text) as Record<string, unknown>;
}

/** An export, dropped again beside its base. */
function reopened(store: MemoryStore, files: readonly AddedFile[]): AddedFile[] {
  const exported = [...store.files].map(([path, bytes]): AddedFile => {
    return { path: `out/${path}`, file: new File([bytes], path.slice(path.lastIndexOf('/') + 1)) };
  });
  return [...files.filter(({ path }) => path.startsWith('base/')), ...exported];
}

const HEAD = {
  'classifier.dense.bias': [32],
  'classifier.dense.weight': [32, 32],
  'classifier.out_proj.bias': [2],
  'classifier.out_proj.weight': [2, 32],
};

describe('01-lora-seqcls-head', () => {
  const files = caseFiles('01-lora-seqcls-head');

  it('keeps the head of every task whole, in the report and in the export', async () => {
    expect(await told(files)).toEqual([
      'note: mnli keeps 4 tensors whole.',
      'note: sst2 keeps 4 tensors whole.',
    ]);
    const store = await exportFiles(files);
    expect(await shapesIn(store, 'sst2/adapter_model.safetensors')).toMatchObject(HEAD);
    expect(configIn(store, 'sst2')).toMatchObject({
      task_type: 'SEQ_CLS',
      modules_to_save: ['classifier'],
      bias: 'none',
    });
  });

  it('promises no head of the merged adapter', async () => {
    const store = await exportFiles(files);
    const merged = Object.keys(await shapesIn(store, 'merged/adapter_model.safetensors'));
    expect(merged.filter((name) => !name.includes('.lora_'))).toEqual([]);
    expect(configIn(store, 'merged')).not.toHaveProperty('modules_to_save');
    expect(configIn(store, 'merged')).not.toHaveProperty('task_type');
  });

  it('finds the heads again in its export', async () => {
    const store = await exportFiles(files);
    const again = await told(reopened(store, files));
    expect(again).toContain('note: mnli keeps 4 tensors whole.');
    expect(again).toContain('note: sst2 keeps 4 tensors whole.');
  });
});

describe('names of another version', () => {
  it('02-lora-vlm-renamed: exchanges a prefix, and writes the adapter’s own', async () => {
    const files = caseFiles('02-lora-vlm-renamed');
    expect(await told(files)).toEqual([
      'note: charts and ocr name 4 tensors otherwise than the base: “model.language_model.” in the place of “model.”.',
    ]);
    const store = await exportFiles(files);
    for (const folder of ['ocr', 'merged']) {
      const names = Object.keys(await shapesIn(store, `${folder}/adapter_model.safetensors`));
      expect(names).toContain('model.language_model.layers.1.self_attn.q_proj.lora_A.weight');
      expect(names).toHaveLength(8);
    }
  });

  it('03-lora-vit-renamed: matches layers by blocks, shapes and roles', async () => {
    const files = caseFiles('03-lora-vit-renamed');
    const [first] = await told(files);
    expect(first).toMatch(/^note: flowers and pets call layers otherwise than the base: /);
    const store = await exportFiles(files);
    const names = Object.keys(await shapesIn(store, 'pets/adapter_model.safetensors'));
    expect(names).toContain('layers.0.attention.q_proj.lora_A.weight');
    // The class is written again, so that the export is known for what it is, too.
    expect(await told(reopened(store, files))).toContain(first);
  });

  it('23-lora-orig-mod: leaves out what compiling puts before all names', async () => {
    const files = caseFiles('23-lora-orig-mod');
    expect(await told(files)).toEqual([
      'note: compiled was saved from a wrapped model: “_orig_mod” in its names.',
    ]);
    const store = await exportFiles(files);
    expect(Object.keys(await shapesIn(store, 'compiled/adapter_model.safetensors'))).toEqual(
      Object.keys(await shapesIn(store, 'plain/adapter_model.safetensors')),
    );
  });
});

describe('tied tables', () => {
  /** Numbers under which the two tables of one file are one, or are not. */
  const tables =
    (alike: boolean): ValuesOf =>
    (place) =>
      seededValues(
        alike && place.name.endsWith('lm_head.weight')
          ? { ...place, name: 'base_model.model.model.embed_tokens.weight' }
          : place,
      );

  it('18-lora-tied-saved: replaces the base’s one table, and the head follows', async () => {
    const files = caseFiles('18-lora-tied-saved', tables(true));
    expect(await told(files)).toEqual([
      'note: cpt brings 1 tensor whole.',
      'note: cpt brings an embedding that is the head, too.',
    ]);
    const store = await exportFiles(files);
    expect(configIn(store, 'cpt')).toMatchObject({ ensure_weight_tying: true });
    const names = Object.keys(await shapesIn(store, 'merged/adapter_model.safetensors'));
    expect(names.filter((name) => !name.includes('.lora_'))).toEqual(['model.embed_tokens.weight']);
  });

  it('is refused where the tables differ that are said to be one', async () => {
    const files = caseFiles('18-lora-tied-saved', tables(false));
    await expect(exportFiles(files)).rejects.toThrow(/sets ensure_weight_tying, but its/);
  });

  it('18b-lora-tying-flag-only: is a plain adapter', async () => {
    const files = caseFiles('18b-lora-tying-flag-only');
    expect(await told(files)).toEqual([]);
    expect(configIn(await exportFiles(files), 'plain')).not.toHaveProperty('ensure_weight_tying');
  });

  it('19-lora-tied-untied-saved: leaves the task its head', async () => {
    const files = caseFiles('19-lora-tied-untied-saved', tables(false));
    expect(await told(files)).toEqual([
      'note: cpt brings 1 tensor whole.',
      'note: cpt keeps 1 tensor whole.',
    ]);
    const store = await exportFiles(files);
    expect(configIn(store, 'cpt')['modules_to_save']).toEqual(['embed_tokens', 'lm_head']);
    expect(await shapesIn(store, 'cpt/adapter_model.safetensors')).toMatchObject({
      'lm_head.weight': [64, 32],
      'model.embed_tokens.weight': [64, 32],
    });
  });
});

describe('adapters that no merge can take', () => {
  it.each([
    ['15-zero3-empty-lora', /zero3\/adapter_model\.safetensors is an incomplete save: ".*lm_head/],
    ['28-lora-grouped-conv', /"conv" of a is a convolution in groups/],
  ])('%s says why', async (name, message) => {
    const { error } = await openFiles(caseFiles(name));
    expect(error?.message).toMatch(message);
    expect(error?.hint.length).toBeGreaterThan(20);
  });

  it('names trainable tokens, whether the configuration or the file tells of them', async () => {
    const config = { peft_type: 'LORA', r: 2, target_modules: ['q'] };
    const files = (more: object, tensors: Record<string, string>): AddedFile[] =>
      filesOf({
        'base/model.safetensors': {
          tensors: { 'q.weight': 'F32[3,4]', 'embed.weight': 'F32[9,4]' },
        },
        'task/adapter_config.json': JSON.stringify({ ...config, ...more }),
        'task/adapter_model.safetensors': {
          tensors: { 'q.lora_A.weight': 'F32[2,4]', 'q.lora_B.weight': 'F32[3,2]', ...tensors },
        },
      });
    const byConfig = await openFiles(files({ trainable_token_indices: [1, 2] }, {}));
    expect(byConfig.error?.message).toContain('trainable_token_indices');
    const key = 'embed.token_adapter.trainable_tokens_delta';
    const byFile = await openFiles(files({}, { [key]: 'F32[2,4]' }));
    expect(byFile.error?.message).toContain(key);
  });
});

describe('plain adapters', () => {
  it.each([
    ['30-lora-regex-targets', 4],
    ['36-lora-rank-over-dim', 3],
  ])('%s opens and exports', async (name, count) => {
    const store = await exportFiles(caseFiles(name));
    const folders = [...store.files.keys()].filter((path) => path.endsWith('adapter_config.json'));
    expect(folders).toHaveLength(count);
  });
});
