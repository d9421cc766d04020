/** Names, scales and configurations of written LoRA files, where several spellings meet. */
import { describe, expect, it } from 'vitest';
import { exportFiles } from '@/jobs/cases/open-files.fixture';
import { loadGroup } from '@/jobs/load-group.fixture';
import { RECIPE } from '@/jobs/staging/export-group.fixture';
import { type AddedFile } from '@/protocol/requests';
import { DEFAULT_LORA, type LoraChoices } from '@/recipe/lora-choices';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { f32, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';
import { loraCase } from './lora-golden.fixture';

const RANK = 2;
const FULL = 8;
type Ends = readonly [down: string, up: string];
const PEFT: Ends = ['.lora_A.weight', '.lora_B.weight'];
const KOHYA: Ends = ['.lora_down.weight', '.lora_up.weight'];

function fill(shape: readonly number[], seed: number): FixtureTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return f32(
    shape,
    Array.from({ length: count }, (_, i) => Math.sin(seed + 3 * i)),
  );
}

function tensors(keys: readonly string[], [down, up]: Ends, seed = 1) {
  return Object.fromEntries(
    keys.flatMap((key, i) => [
      [key + down, fill([RANK, 5], seed + i)] as const,
      [key + up, fill([6, RANK], seed + 7 + i)] as const,
    ]),
  );
}

function added(
  path: string,
  content: Readonly<Record<string, FixtureTensor>>,
  metadata?: Readonly<Record<string, string>>,
): AddedFile {
  return { path, file: new File([soundFile(content, metadata)], path.split('/').at(-1)!) };
}

function configured(folder: string, json: object, weights: AddedFile): AddedFile[] {
  const file = new File([JSON.stringify(json)], 'adapter_config.json');
  return [
    { path: `${folder}/adapter_config.json`, file },
    { path: `${folder}/${weights.path}`, file: weights.file },
  ];
}

/** Written names by file, and files to open again. */
async function written(files: readonly AddedFile[], lora: Partial<LoraChoices>) {
  const recipe = { ...RECIPE, rank: { by: 'count' as const, q: FULL } };
  const store = await exportFiles(files, undefined, {
    ...recipe,
    lora: { ...DEFAULT_LORA, ...lora },
  });
  const names = new Map<string, string[]>();
  const metadata = new Map<string, ReadonlyMap<string, string>>();
  const shapes = new Map<string, readonly number[]>();
  const again: AddedFile[] = [];
  for (const [path, bytes] of store.files) {
    if (!/\.safetensors$|adapter_config/.test(path)) continue;
    again.push({ path, file: new File([bytes], path.split('/').at(-1)!) });
    if (!path.endsWith('.safetensors')) continue;
    const header = await readSafetensorsHeader(new Blob([bytes]), path);
    names.set(path, [...header.tensors.keys()]);
    for (const [name, { shape }] of header.tensors) shapes.set(name, shape);
    metadata.set(path, header.metadata);
  }
  const json = (path: string): Record<string, unknown> =>
    JSON.parse(new TextDecoder().decode(store.files.get(path))) as Record<string, unknown>;
  return { names, shapes, metadata, json, again, paths: [...store.files.keys()] };
}

/** Largest singular value of each module, scale included. */
async function largest(files: readonly AddedFile[]): Promise<Record<string, number>> {
  const { signal } = new AbortController();
  const request = { kind: 'files' as const, files };
  const group = await loadGroup({ request, emit: () => undefined, signal });
  if (group.kind !== 'loras') throw new Error('The files opened with a base.');
  const found = group.spectra.flatMap(({ modules }) =>
    modules.flatMap((values, i) =>
      values.length === 0 ? [] : [[group.contents.modules[i]!.name, values[0]!] as const],
    ),
  );
  group.dispose();
  return Object.fromEntries(found);
}

function diffusersMetadata(model: string, alpha: number): Record<string, string> {
  const fields = { [`${model}.r`]: RANK, [`${model}.lora_alpha`]: alpha };
  return { lora_adapter_metadata: JSON.stringify(fields) };
}

describe('a sum', () => {
  it('holds the scale of what the first file’s metadata does not tell of', async () => {
    const one = added('a.safetensors', tensors(['transformer.x_embedder'], PEFT), {
      ...diffusersMetadata('transformer', 4),
    });
    const other = added('b.safetensors', tensors(['text_encoder.q'], PEFT, 3), {
      ...diffusersMetadata('text_encoder', 6),
    });
    const { again, names } = await written([one, other], { make: 'one' });
    expect(names.get('combined.safetensors')!.some((name) => name.endsWith('.alpha'))).toBe(false);
    const before = await largest([one, other]);
    const after = await largest(again);
    for (const [module, value] of Object.entries(before)) {
      expect(after[module]! / value, module).toBeCloseTo(1, 5);
    }
  });

  it('takes PEFT’s names where they are known, and no alpha beside diffusers’ metadata', async () => {
    const first = added('a.safetensors', tensors(['unet.mid.to_q', 'unet.mid.to_k'], PEFT), {
      ...diffusersMetadata('unet', 4),
    });
    const second = added('b.safetensors', {
      ...tensors(['lora_unet_mid_to_q', 'lora_unet_mid_to_v'], KOHYA, 5),
      'lora_unet_mid_to_v.alpha': f32([], [1]),
    });
    const named = added('c.safetensors', tensors(['unet.mid.to_v'], PEFT, 9));
    const { names } = await written([first, second, named], { make: 'one' });
    const keys = names.get('combined.safetensors')!;
    expect(keys.filter((name) => name.endsWith('.alpha'))).toEqual([]);
    expect(keys.filter((name) => name.includes('lora_unet'))).toEqual([]);
    expect(keys).toContain('unet.mid.to_v.lora_A.weight');
  });

  it('names in its configuration what other files bring', async () => {
    const wrapped = (keys: readonly string[]) => keys.map((key) => `base_model.model.${key}`);
    const config = { peft_type: 'LORA', r: RANK, lora_alpha: 2, target_modules: ['q'] };
    const head = { 'base_model.model.score.weight': fill([3, 4], 2) };
    const a = added('adapter_model.safetensors', tensors(wrapped(['x.0.q']), PEFT));
    const b = added('adapter_model.safetensors', {
      ...tensors(wrapped(['x.0.q', 'x.0.v']), PEFT, 4),
      ...head,
    });
    const files = [
      ...configured('a', config, a),
      ...configured('b', { ...config, target_modules: ['q', 'v'], modules_to_save: ['score'] }, b),
    ];
    const { json, names } = await written(files, { make: 'one' });
    expect(names.get('combined/adapter_model.safetensors')).toContain(Object.keys(head)[0]);
    expect(json('combined/adapter_config.json')).toMatchObject({
      target_modules: ['x.0.q', 'x.0.v'],
      modules_to_save: ['score'],
    });
  });

  it('finds modules of old and new diffusers to be the same', async () => {
    const old: Ends = ['_lora.down.weight', '_lora.up.weight'];
    const one = added(
      'a.safetensors',
      tensors(['unet.mid.attn1.processor.to_q', 'unet.mid.attn1.processor.to_out'], old),
    );
    const other = added(
      'b.safetensors',
      tensors(['unet.mid.attn1.to_q', 'unet.mid.attn1.to_out.0'], PEFT, 3),
    );
    expect(Object.keys(await largest([one, other]))).toHaveLength(2);
    const { names } = await written([one], { spelling: 'peft' });
    expect(names.get('a.safetensors')).toContain('unet.mid.attn1.to_out.0.lora_A.weight');
  });

  it('has a weight for files of any name', async () => {
    const files = ['constructor', 'toString'].map((name, i) =>
      added(`${name}.safetensors`, tensors(['unet.mid.to_q'], PEFT, i)),
    );
    const { paths } = await written(files, { make: 'one' });
    expect(paths).toContain('combined.safetensors');
  });
});

describe('another spelling', () => {
  it('leaves a file of that spelling its names, whatever lies beside it', async () => {
    const sd = added('sd.safetensors', tensors(['lora_te_text_model_q', 'lora_unet_mid_q'], KOHYA));
    const { names } = await written([sd, ...loraCase('kohya-sdxl')], { spelling: 'kohya' });
    expect(names.get('sd.safetensors')!.filter((name) => name.includes('_te1_'))).toEqual([]);
  });

  it('as kohya has alphas, and none of diffusers’ metadata', async () => {
    const { names, metadata } = await written(loraCase('diffusers-pipeline'), {
      spelling: 'kohya',
    });
    const [path] = names.keys();
    expect(metadata.get(path!)!.has('lora_adapter_metadata')).toBe(false);
    const keys = names.get(path!)!;
    expect(keys.filter((name) => name.endsWith('.alpha')).length).toBe(
      keys.filter((name) => name.endsWith('.lora_up.weight')).length,
    );
  });

  it('as PEFT keeps tables what they are, and takes modules of one word', async () => {
    const { names } = await written(loraCase('peft-patterns'), { spelling: 'peft' });
    const [keys] = names.values();
    expect(keys!.some((name) => name.endsWith('.lora_embedding_A'))).toBe(true);
    const flux = added('flux.safetensors', tensors(['transformer.proj_out'], PEFT));
    const again = await written([flux], { spelling: 'peft' });
    expect(again.names.get('flux.safetensors')).toContain('transformer.proj_out.lora_A.weight');
  });

  const TOKENS = 11;
  const mlxConfig = { fine_tune_type: 'lora', lora_parameters: { rank: RANK, scale: 3 } };
  const mlxTable = (key: string) => ({
    [`${key}.lora_a`]: fill([TOKENS, RANK], 4),
    [`${key}.lora_b`]: fill([RANK, 6], 5),
  });

  it('as PEFT, calls the factors of MLX’s tables as PEFT does, and the other way round', async () => {
    const layer = { 'x.0.q.lora_a': fill([5, RANK], 1), 'x.0.q.lora_b': fill([RANK, 6], 2) };
    const weights = added('adapters.safetensors', { ...layer, ...mlxTable('model.embed_tokens') });
    const mlx = configured('m', mlxConfig, weights);
    const peft = await written(mlx, { spelling: 'peft' });
    const table = 'base_model.model.model.embed_tokens';
    expect(peft.names.get('m/adapter_model.safetensors')).toEqual([
      'base_model.model.x.0.q.lora_A.weight',
      'base_model.model.x.0.q.lora_B.weight',
      `${table}.lora_embedding_A`,
      `${table}.lora_embedding_B`,
    ]);
    expect(peft.shapes.get(`${table}.lora_embedding_A`)).toEqual([RANK, TOKENS]);
    expect(peft.shapes.get(`${table}.lora_embedding_B`)).toEqual([6, RANK]);
    const again = await written(peft.again, { spelling: 'mlx' });
    expect(again.names.get('m/adapters.safetensors')).toEqual([
      'x.0.q.lora_a',
      'x.0.q.lora_b',
      'model.embed_tokens.lora_a',
      'model.embed_tokens.lora_b',
    ]);
    expect(again.shapes.get('model.embed_tokens.lora_a')).toEqual([TOKENS, RANK]);
    expect(again.shapes.get('model.embed_tokens.lora_b')).toEqual([RANK, 6]);
    expect(again.json('m/adapter_config.json')).toMatchObject({
      lora_parameters: { keys: ['x.0.q', 'model.embed_tokens'] },
    });
    const before = await largest(mlx);
    for (const files of [peft.again, again.again]) {
      for (const [module, value] of Object.entries(await largest(files))) {
        expect(value / before[module]!, module).toBeCloseTo(1, 5);
      }
    }
  });

  it.each(['transformer.wpe', 'model.embed_positions'])(
    'as PEFT is refused where MLX does not tell whether %s is a table',
    async (key) => {
      const files = configured('m', mlxConfig, added('adapters.safetensors', mlxTable(key)));
      await expect(written(files, { spelling: 'peft' })).rejects.toThrow(
        /may be a table or a layer/,
      );
      const kept = await written(files, {});
      expect(kept.names.get('m/adapters.safetensors')).toContain(`${key}.lora_a`);
    },
  );

  it('as PEFT takes MLX’s heads for the layers that they are', async () => {
    const files = configured('m', mlxConfig, added('adapters.safetensors', mlxTable('embed_out')));
    const { names } = await written(files, { spelling: 'peft' });
    expect(names.get('m/adapter_model.safetensors')).toContain(
      'base_model.model.embed_out.lora_A.weight',
    );
  });

  it('takes GPT-2’s stack for a language model’s, with a configuration', async () => {
    const config = {
      fine_tune_type: 'lora',
      num_layers: 4,
      lora_parameters: { rank: 2, scale: 3 },
    };
    const weights = {
      'transformer.h.0.attn.c_attn.lora_a': fill([5, RANK], 1),
      'transformer.h.0.attn.c_attn.lora_b': fill([RANK, 6], 2),
    };
    const files = configured('gpt', config, added('adapters.safetensors', weights));
    const { names, json } = await written(files, { spelling: 'peft' });
    expect(names.get('gpt/adapter_model.safetensors')).toContain(
      'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight',
    );
    expect(json('gpt/adapter_config.json')).toMatchObject({ r: RANK, lora_alpha: 6 });
  });
});
