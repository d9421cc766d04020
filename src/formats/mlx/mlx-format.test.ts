import { describe, expect, it } from 'vitest';
import { type PeruError } from '@/core/errors';
import { groupLocalFiles } from '@/sources/local-files';
import { f32, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';
import { MLX } from './mlx-format';

type Tensors = Readonly<Record<string, FixtureTensor>>;

const Q = 'model.layers.0.self_attn.q_proj';
const CONFIG = {
  fine_tune_type: 'lora',
  model: 'me/base',
  num_layers: 2,
  lora_parameters: { rank: 2, scale: 20, dropout: 0 },
};

const zeros = (...shape: number[]): FixtureTensor =>
  f32(shape, new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(0));

/** Factors of a layer with 5 inputs and 6 outputs. */
function layer(path: string, rank = 2): Tensors {
  return { [`${path}.lora_a`]: zeros(5, rank), [`${path}.lora_b`]: zeros(rank, 6) };
}

function found(files: Readonly<Record<string, BlobPart>>) {
  const added = Object.entries(files).map(([path, content]) => {
    return { path, file: new File([content], path.split('/').at(-1)!) };
  });
  return groupLocalFiles(added);
}

function folder(tensors: Tensors, config: object = CONFIG) {
  return {
    'sql/adapter_config.json': JSON.stringify(config),
    'sql/adapters.safetensors': soundFile(tensors),
  };
}

const open = (tensors: Tensors, config?: object) =>
  MLX.open(found(folder(tensors, config)).adapters[0]!);

async function refusal(tensors: Tensors, config?: object): Promise<PeruError> {
  const error = await open(tensors, config).then(
    () => null,
    (reason: unknown) => reason as PeruError,
  );
  if (error === null) throw new Error('Not refused.');
  expect(error.hint.length).toBeGreaterThan(20);
  return error;
}

describe('a folder of mlx-lm’s', () => {
  it('is one adapter, whatever it saved on the way', () => {
    const steps = {
      'sql/0000100_adapters.safetensors': soundFile(layer(Q)),
      'sql/0000200_adapters.safetensors': soundFile(layer(Q)),
    };
    const { adapters, checkpoints } = found({ ...folder(layer(Q)), ...steps });
    expect(adapters.map(({ name, format }) => [name, format])).toEqual([['sql', MLX]]);
    expect(checkpoints).toEqual([]);
  });

  it('may lie without a folder among other files', () => {
    const { adapters, checkpoints } = found({
      'adapter_config.json': JSON.stringify(CONFIG),
      'adapters.safetensors': soundFile(layer(Q)),
      '0000100_adapters.safetensors': soundFile(layer(Q)),
      'base.safetensors': soundFile({ w: zeros(2) }),
    });
    expect(adapters).toHaveLength(1);
    expect(checkpoints.map(({ weightsPath }) => weightsPath)).toEqual(['base.safetensors']);
  });

  it('is PEFT’s where PEFT’s weights lie in it, too', () => {
    const peft = { 'sql/adapter_model.safetensors': soundFile({}) };
    const { adapters, checkpoints } = found({ ...folder(layer(Q)), ...peft });
    expect(adapters.map(({ format }) => format.files.weights)).toEqual([
      'adapter_model.safetensors',
    ]);
    expect(checkpoints).toEqual([]);
  });

  it('holds a file like any other without its configuration', () => {
    const { checkpoints } = found({ 'sql/adapters.safetensors': soundFile(layer(Q)) });
    expect(checkpoints.map(({ weightsPath }) => weightsPath)).toEqual(['adapters.safetensors']);
  });

  it('of an older version is told how to convert it', () => {
    const files = { 'sql/adapter_config.json': '{}', 'sql/adapters.npz': 'x' };
    expect(() => found(files)).toThrow(/sql\/adapters\.npz is an archive of numpy's/);
  });
});

describe('an adapter of mlx-lm’s', () => {
  it('is read as it is stored: transposed, scaled whatever its rank', async () => {
    const adapter = await open({ ...layer(Q), ...layer('lm_head') });
    expect(adapter.modules).toMatchObject([
      { path: Q, isTransposed: true, isEmbedding: null, rank: 2, scale: 20 },
      { path: 'lm_head', isTransposed: true, isEmbedding: null, rank: 2, scale: 20 },
    ]);
    expect(adapter.modules[0]!.a.shape).toEqual([5, 2]);
    expect(adapter.metadata).toMatchObject({ baseModel: 'me/base', isFanInFanOut: null });
    expect(adapter.copies.size).toBe(0);
  });

  it('knows a table of tokens by its name', async () => {
    const { modules } = await open(layer('model.embed_tokens'));
    expect(modules[0]).toMatchObject({ isEmbedding: true });
  });

  it('may have ranks under that of its configuration, as Peru writes them', async () => {
    const { modules } = await open({ ...layer(Q, 1), ...layer('x.k_proj', 2) });
    expect(modules.map(({ rank }) => rank)).toEqual([1, 2]);
  });

  it.each<[string, Tensors, PeruError['kind'], RegExp]>([
    [
      'half of it',
      { [`${Q}.lora_a`]: zeros(5, 2) },
      'mismatch',
      /lacks the lora_b of "model.*only its lora_a/,
    ],
    [
      'two ranks in a layer',
      { [`${Q}.lora_a`]: zeros(5, 2), [`${Q}.lora_b`]: zeros(3, 6) },
      'mismatch',
      /do not belong together: lora_a is \[5, 2\], lora_b is \[3, 6\]/,
    ],
    [
      'another rank than said',
      layer(Q, 4),
      'mismatch',
      /rank 4 in its file.*says 2 \(lora_parameters\.rank\)/,
    ],
    ['DoRA', { ...layer(Q), [`${Q}.m`]: zeros(6) }, 'unsupported', /q_proj\.m": it is a DoRA/],
    [
      'whole weights',
      { ...layer(Q), 'model.norm.weight': zeros(5) },
      'unsupported',
      /"model\.norm\.weight", which is no part/,
    ],
    [
      'experts, stacked',
      { [`${Q}.lora_a`]: zeros(4, 2, 5), [`${Q}.lora_b`]: zeros(4, 6, 2) },
      'unsupported',
      /stacked experts \(lora_a \[4, 2, 5\]/,
    ],
    [
      'experts of older versions',
      { [`${Q}.lora_a`]: zeros(8, 5), [`${Q}.lora_b`]: zeros(4, 6, 2) },
      'unsupported',
      /stacked experts/,
    ],
    [
      'factors of mlx-vlm',
      { [`${Q}.A`]: zeros(5, 2), [`${Q}.B`]: zeros(2, 6) },
      'unsupported',
      /mlx-vlm/,
    ],
    [
      'no numbers',
      { [`${Q}.lora_a`]: zeros(0), [`${Q}.lora_b`]: zeros(2, 6) },
      'mismatch',
      /is empty/,
    ],
    [
      'codes',
      { ...layer(Q), [`${Q}.lora_a`]: { dtype: 'U32', shape: [5, 2], bytes: new Uint8Array(40) } },
      'unsupported',
      /as U32/,
    ],
    ['nothing', {}, 'mismatch', /adapts nothing/],
  ])('is refused with %s', async (_, tensors, kind, says) => {
    const error = await refusal(tensors);
    expect(error.message).toMatch(says);
    expect(error.kind).toBe(kind);
  });

  it.each<[string, object, PeruError['kind'], RegExp]>([
    [
      'DoRA',
      { ...CONFIG, fine_tune_type: 'dora' },
      'unsupported',
      /is of type "dora" \(fine_tune_type\)/,
    ],
    ['a full training', { ...CONFIG, fine_tune_type: 'full' }, 'unsupported', /is of type "full"/],
    [
      'DoRA of older versions',
      { use_dora: true, lora_parameters: CONFIG.lora_parameters },
      'unsupported',
      /is of type "dora" \(use_dora\)/,
    ],
    [
      'no scale',
      { ...CONFIG, lora_parameters: { rank: 2 } },
      'parse',
      /does not say how sql\/adapters\.safetensors is scaled/,
    ],
    ['PEFT', { peft_type: 'LORA', r: 2 }, 'mismatch', /no configuration of mlx-lm's/],
  ])('is refused where its configuration is of %s', async (_, config, kind, says) => {
    const error = await refusal(layer(Q), config);
    expect(error.message).toMatch(says);
    expect(error.message).toContain('sql/adapter_config.json');
    expect(error.kind).toBe(kind);
  });
});
