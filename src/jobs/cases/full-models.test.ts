/**
 * Full fine-tunes that other programs saved under other names, with other buffers, or not whole:
 * what is merged of each, number by number.
 */
import { describe, expect, it } from 'vitest';
import { isFloatDtype } from '@/tensor/dtype';
import { decodeFloats } from '@/tensor/half';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { RECIPE } from '@/jobs/staging/export-group.fixture';
import { type MemoryStore } from '@/jobs/context/memory-store.fixture';
import { type AddedFile } from '@/protocol/requests';
import { caseFiles, filesOf, seededValues } from './case-files.fixture';
import { exportFiles, openFiles } from './open-files.fixture';

/** Floating tensors by name, with the bytes of all others. */
interface Content {
  readonly floats: ReadonlyMap<string, Float32Array>;
  readonly others: ReadonlyMap<string, Uint8Array>;
  readonly isHalf: boolean;
}

async function contentOf(blob: Blob, path: string): Promise<Content> {
  const header = await readSafetensorsHeader(blob, path);
  const floats = new Map<string, Float32Array>();
  const others = new Map<string, Uint8Array>();
  for (const [name, { dtype }] of header.tensors) {
    const bytes = await readTensorBytes(blob, header, name);
    if (isFloatDtype(dtype)) floats.set(name, decodeFloats(bytes, dtype));
    else others.set(name, bytes);
  }
  const isHalf = [...header.tensors.values()].some(({ dtype }) => dtype === 'F16');
  return { floats, others, isHalf };
}

/**
 * theta* = theta_0 + 0.5 sum (theta_t - theta_0) in float64, which for two fine-tunes is their mean.
 * The engine adds in f32, four roundings of numbers below 0.25 (2^-26 each), and rounds once more to
 * the base's dtype (half a step: 2^-27, or 2^-14 as F16).
 */
function expectMean(got: Float32Array, tasks: readonly Float32Array[], isHalf: boolean): void {
  expect(got.length).toBe(tasks[0]!.length);
  const tolerance = 4 * 2 ** -26 + (isHalf ? 2 ** -14 : 2 ** -27);
  got.forEach((value, i) => {
    const mean = (tasks[0]![i]! + tasks[1]![i]!) / 2;
    expect(Math.abs(value - mean)).toBeLessThanOrEqual(tolerance);
  });
}

interface Case {
  readonly tasks: readonly [string, string];
  /** Path of a checkpoint of that name among the files. */
  readonly pathOf?: (name: string) => string;
  /** The base's name of a tensor in a task's file. */
  readonly baseName: (name: string) => string;
  /** What is not merged of the base: it stays, bit by bit. */
  readonly stays?: RegExp;
  /** Tensors in a task's sparse file that it keeps whole, none of them if absent. */
  readonly own?: Readonly<Record<string, readonly string[]>>;
}

const same = (name: string): string => name;

function oldLlava(name: string): string {
  if (name === 'lm_head.weight') return 'language_model.lm_head.weight';
  if (name.startsWith('model.language_model.')) {
    return name.replace('model.language_model.', 'language_model.model.');
  }
  return name.replace(/^model\./, '');
}

const loose = (name: string): string => `m/${name}.safetensors`;
const MASKS = /\.attn\.bias$/;

const CASES: Readonly<Record<string, Case>> = {
  '04-full-vlm-renamed': { tasks: ['ocr', 'charts'], baseName: oldLlava },
  '04b-full-vlm-large-language': {
    tasks: ['ocr', 'charts'],
    pathOf: loose,
    baseName: oldLlava,
  },
  '07-position-ids-half': { tasks: ['anime', 'photo'], baseName: same, stays: /position_ids$/ },
  '08-gpt2-mask-buffers': {
    tasks: ['code', 'stories'],
    baseName: (name) => name.replace('transformer.', ''),
    stays: MASKS,
    own: { stories: ['h.0.attn.masked_bias', 'h.1.attn.masked_bias'] },
  },
  '08b-gpt2-masks-u8-only': {
    tasks: ['code', 'stories'],
    baseName: (name) => name.replace('transformer.', ''),
    stays: MASKS,
  },
  '17-weight-norm-names': {
    tasks: ['fi', 'sv'],
    baseName: (name) =>
      name
        .replace('parametrizations.weight.original0', 'weight_g')
        .replace('parametrizations.weight.original1', 'weight_v'),
  },
  '20-one-untied': {
    tasks: ['tied', 'untied'],
    baseName: same,
    own: { untied: ['lm_head.weight'] },
  },
  '24-regional-compile': { tasks: ['one', 'two'], baseName: (n) => n.replace('._orig_mod', '') },
};

describe.each(Object.entries(CASES))('%s', (name, one) => {
  const { tasks, baseName, stays = /^$/, own = {} } = one;
  const pathOf = one.pathOf ?? ((task: string) => `${task}/model.safetensors`);

  it('merges every weight under the base’s name', async () => {
    const files = caseFiles(name);
    const read = (path: string): Promise<Content> => contentOf(fileAt(files, path), path);
    const base = await read(pathOf('base'));
    const renamed = await Promise.all(
      tasks.map(async (task) => {
        const { floats } = await read(pathOf(task));
        return new Map([...floats].map(([key, values]) => [baseName(key), values] as const));
      }),
    );
    const store = await exportFiles(files);
    const merged = await contentOf(stored(store, 'merged.safetensors'), 'merged.safetensors');
    expect([...merged.floats.keys()].sort()).toEqual([...base.floats.keys()].sort());
    for (const [key, values] of merged.floats) {
      if (stays.test(key)) expect(values).toEqual(base.floats.get(key));
      else
        expectMean(
          values,
          renamed.map((floats) => floats.get(key)!),
          base.isHalf,
        );
    }
    expect(merged.others).toEqual(base.others);
    for (const task of tasks) {
      const path = `${task}.sparse.safetensors`;
      const { tensors } = await readSafetensorsHeader(stored(store, path), path);
      const whole = [...tensors.keys()].filter((key) => !/\.(?:gaps|values)$/.test(key));
      expect(whole.sort()).toEqual(own[task] ?? []);
    }
  });
});

describe('which checkpoint is the base', () => {
  it('08c: a mask more is no reason', async () => {
    expect(await baseOf(caseFiles('08c-gpt2-masked-bias-only'))).toBe('base');
  });

  it('32: rotary frequencies are none, the name is', async () => {
    expect(await baseOf(caseFiles('32-guess-base-inv-freq'))).toBe('llama-base');
  });

  it('asks where only a buffer and what its configuration says would tell, unless that names it', async () => {
    const files = caseFiles('32-guess-base-inv-freq').map(({ path, file }) => {
      return { path: path.replace('llama-base/', 'llama/'), file };
    });
    const { error } = await openFiles(files);
    expect(error?.kind).toBe('choose-base');
    expect(error?.choices?.map((choice) => choice.name).sort()).toEqual([
      'llama',
      'vicuna',
      'wizard',
    ]);
    const card = new File(['---\nbase_model: someone/llama\n---\n'], 'README.md');
    expect(await baseOf([...files, { path: 'wizard/README.md', file: card }])).toBe('llama');
  });
});

describe('16-zero3-empty-full', () => {
  it('is refused as an incomplete save, with a way round', async () => {
    const { error } = await openFiles(caseFiles('16-zero3-empty-full'));
    expect(error).toMatchObject({
      kind: 'mismatch',
      message: expect.stringMatching(
        /"model\.layers\.0\.input_layernorm\.weight".* in zero3 are empty .* not saved whole/,
      ) as unknown,
      hint: expect.stringContaining('zero_to_fp32.py') as unknown,
    });
    expect(error?.exclude).toContain('model.layers.*.input_layernorm.weight');
  });
});

describe('numbers past the largest of F16', () => {
  it('21: are refused among kept values, with the dtype to choose', async () => {
    const files = caseFiles('21-fp16-overflow', ({ path, count }) =>
      new Float32Array(count).fill(path === 'm/one.safetensors' ? 150_000 : 1),
    );
    const recipe = { ...RECIPE, valueDtype: 'F16' as const };
    await expect(exportFiles(files, undefined, recipe)).rejects.toThrow(
      /one\.sparse\.safetensors holds NaN or Inf in .*\.values.*“Dtype of kept values”/,
    );
    const wider = await exportFiles(files, undefined, { ...recipe, valueDtype: 'BF16' });
    expect(wider.files.has('one.sparse.safetensors')).toBe(true);
  });

  it('22: are refused in the merged model, with what to change', async () => {
    const files = caseFiles('22-fp16-merged-overflow', ({ path, count }) =>
      new Float32Array(count).fill(path === 'm/base.safetensors' ? 1 : 50_000),
    );
    await expect(exportFiles(files)).rejects.toThrow(
      /merged\.safetensors holds NaN or Inf in .*F16.*“Merged dtype”.*smaller λ/,
    );
    const wider = await exportFiles(files, undefined, { ...RECIPE, mergedDtype: 'BF16' });
    expect(wider.files.has('merged.safetensors')).toBe(true);
  });
});

describe('a head that the configuration ties', () => {
  const tied = '{"model_type":"llama","tie_word_embeddings":true}';
  const table = 'model.embed_tokens.weight';
  const tensors = { [table]: 'BF16[6,4]', 'model.norm.weight': 'BF16[4]' };
  const files = (alike: boolean, dtype = 'BF16'): AddedFile[] =>
    filesOf(
      {
        'base/config.json': tied,
        'base/model.safetensors': { tensors },
        'task/config.json': tied,
        'task/model.safetensors': { tensors: { ...tensors, 'lm_head.weight': `${dtype}[6,4]` } },
      },
      (place) =>
        seededValues(alike && place.name === 'lm_head.weight' ? { ...place, name: table } : place),
    );

  it.each(['BF16', 'F32'])('is merged once where it is its embedding, as %s', async (dtype) => {
    const store = await exportFiles(files(true, dtype));
    const merged = await contentOf(stored(store, 'merged.safetensors'), 'merged.safetensors');
    expect([...merged.floats.keys()]).toEqual(Object.keys(tensors));
  });

  it('is refused where it was trained apart', async () => {
    await expect(exportFiles(files(false))).rejects.toThrow(
      /task has \\"model\.embed_tokens\.weight\\" and \\"lm_head\.weight\\" as one table.*tie_word_embeddings to false/,
    );
  });
});

describe('34-vocab-two-sizes', () => {
  it('keeps both tables whole for every task and merges the rest', async () => {
    const { preflight } = await openFiles(caseFiles('34-vocab-two-sizes'));
    expect(preflight?.tensors).toMatchObject({ mergedTensors: 19, ownTensors: 2 });
  });
});

async function baseOf(files: readonly AddedFile[]): Promise<string | undefined> {
  const { preflight } = await openFiles(files);
  return preflight?.checkpoints[0]?.name;
}

function fileAt(files: readonly AddedFile[], path: string): Blob {
  const found = files.find((file) => file.path === path);
  if (found === undefined) throw new Error(`There is no ${path}.`);
  return found.file;
}

function stored({ files }: MemoryStore, path: string): Blob {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`There is no ${path}.`);
  return new Blob([bytes]);
}
