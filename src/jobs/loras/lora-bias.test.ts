/** Biases of lora_B: readers multiply them by the scale, so files that change it hold them otherwise. */
import { describe, expect, it } from 'vitest';
import { exportFiles, openFiles } from '@/jobs/cases/open-files.fixture';
import { RECIPE } from '@/jobs/staging/export-group.fixture';
import { type AddedFile } from '@/protocol/requests';
import { DEFAULT_LORA, type LoraChoices } from '@/recipe/lora-choices';
import { type FloatDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { f32, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';

const RANK = 2;
const BIAS = [1, -2, 0.5, -0, 3, 0.0625];
const Q = 'transformer.x.0.to_q';

function fill(shape: readonly number[], seed: number): FixtureTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return f32(
    shape,
    Array.from({ length: count }, (_, i) => Math.sin(seed + 3 * i)),
  );
}

function floats(values: readonly number[], dtype: FloatDtype): FixtureTensor {
  return { dtype, shape: [values.length], bytes: encodeFloats(Float32Array.from(values), dtype) };
}

/** A layer with a bias, in PEFT's names. */
function layer(key: string, bias: FixtureTensor | null, seed = 1): Record<string, FixtureTensor> {
  return {
    [`${key}.lora_A.weight`]: fill([RANK, 5], seed),
    [`${key}.lora_B.weight`]: fill([6, RANK], seed + 7),
    ...(bias !== null && { [`${key}.lora_B.bias`]: bias }),
  };
}

/** Scaled by alpha / RANK. */
function loose(
  path: string,
  alpha: number,
  given: { bias?: readonly number[]; dtype?: FloatDtype; seed?: number } = {},
): AddedFile {
  const { bias = BIAS, dtype = 'F32', seed = 1 } = given;
  const tensors = { ...layer(Q, floats(bias, dtype), seed), [`${Q}.alpha`]: f32([], [alpha]) };
  return { path, file: new File([soundFile(tensors)], path) };
}

function folder(config: object): AddedFile[] {
  const key = 'base_model.model.q';
  const tensors = { ...layer(key, floats(BIAS, 'F32')), ...layer('base_model.model.v', null, 4) };
  const json = {
    peft_type: 'LORA',
    r: RANK,
    lora_alpha: 10,
    target_modules: ['q', 'v'],
    ...config,
  };
  return [
    ['adapter_config.json', JSON.stringify(json)] as const,
    ['adapter_model.safetensors', soundFile(tensors)] as const,
  ].map(([name, content]) => ({ path: `lora/${name}`, file: new File([content], name) }));
}

async function written(files: readonly AddedFile[], lora: Partial<LoraChoices>) {
  const recipe = { ...RECIPE, rank: { by: 'count' as const, q: 1 } };
  const store = await exportFiles(files, undefined, {
    ...recipe,
    lora: { ...DEFAULT_LORA, ...lora },
  });
  const [path] = [...store.files.keys()].filter((one) => one.endsWith('.safetensors'));
  const blob = new Blob([store.files.get(path!)!]);
  const header = await readSafetensorsHeader(blob, path!);
  const names = [...header.tensors.keys()];
  const read = async (end: string) => {
    const name = names.find((one) => one.endsWith(end));
    if (name === undefined) return null;
    const { dtype } = header.tensors.get(name)!;
    return [...decodeFloats(await readTensorBytes(blob, header, name), dtype as FloatDtype)];
  };
  const config = store.files.get('lora/adapter_config.json');
  return {
    names,
    bias: await read('.bias'),
    alpha: await read('.alpha'),
    json: config && (JSON.parse(new TextDecoder().decode(config)) as Record<string, unknown>),
  };
}

const times = (factor: number): number[] => BIAS.map((value) => value * factor);

describe('a bias of lora_B', () => {
  it.each(['F32', 'F16', 'BF16'] as const)('in %s stays where the scale does', async (dtype) => {
    const { bias, alpha, names } = await written([loose('a.safetensors', 6, { dtype })], {});
    expect(alpha).toEqual([3]);
    expect(bias).toEqual(BIAS);
    // Where it stood.
    expect(names.indexOf(`${Q}.lora_B.bias`)).toBe(2);
  });

  it.each(['F32', 'F16', 'BF16'] as const)('in %s holds a scale that becomes 1', async (dtype) => {
    const files = [loose('a.safetensors', 6, { dtype })];
    const { bias, alpha } = await written(files, { alpha: 'rank' });
    expect(alpha).toEqual([1]);
    expect(bias).toEqual(times(3));
  });

  it('holds a scale that another spelling does not write', async () => {
    const { bias, alpha, names } = await written([loose('a.safetensors', 6)], { spelling: 'peft' });
    expect(alpha).toBeNull();
    expect(bias).toEqual(times(3));
    expect(names).toContain(`${Q}.lora_B.bias`);
  });

  it('is scaled as the configuration says, which says that it is there', async () => {
    const files = folder({ lora_bias: true });
    const kept = await written(files, {});
    expect(kept.json).toMatchObject({ r: 1, lora_alpha: 5, lora_bias: true });
    expect(kept.bias).toEqual(BIAS);
    const plain = await written(files, { alpha: 'rank' });
    expect(plain.json).toMatchObject({ r: 1, lora_alpha: 1, lora_bias: true });
    expect(plain.bias).toEqual(times(5));
    const stabilised = await written(folder({ use_rslora: true }), { alpha: 'rank' });
    expect(stabilised.json).toMatchObject({ use_rslora: false, lora_bias: true });
    for (const [i, value] of stabilised.bias!.entries()) {
      expect(value).toBeCloseTo((10 / Math.SQRT2) * BIAS[i]!, 5);
    }
  });

  it('is left out with other tensors, and so told', async () => {
    const { bias, json } = await written(folder({ lora_bias: true }), { carried: 'leave' });
    expect(bias).toBeNull();
    expect(json).toMatchObject({ lora_bias: false });
  });

  it('is added up with weights and scales', async () => {
    const other = [4, 4, 4, 4, 4, 4];
    const files = [loose('a.safetensors', 6), loose('b.safetensors', 1, { bias: other, seed: 3 })];
    const weights = { a: 2, b: -1 };
    const sum = BIAS.map((value, i) => 2 * 3 * value - 0.5 * other[i]!);
    const plain = await written(files, { make: 'one', weights, alpha: 'rank' });
    expect(plain.bias).toEqual(sum);
    const kept = await written(files, { make: 'one', weights });
    expect(kept.alpha).toEqual([3]);
    for (const [i, value] of kept.bias!.entries()) expect(value).toBeCloseTo(sum[i]! / 3, 5);
  });

  it('is told, and refused in a spelling that has no name for it', async () => {
    const files = [loose('a.safetensors', 6)];
    const { preflight } = await openFiles(files);
    expect(preflight!.findings.map(({ title }) => title)).toContain(
      'a adds 1 bias to what its factors give.',
    );
    await expect(written(files, { spelling: 'kohya' })).rejects.toThrow(
      /biases beside its factors that have no name as kohya/,
    );
    const { names } = await written(files, { spelling: 'kohya', carried: 'leave' });
    expect(names.filter((name) => name.endsWith('bias'))).toEqual([]);
  });

  it('of another length than its layer’s outputs is refused', async () => {
    const { error } = await openFiles([loose('a.safetensors', 6, { bias: [1, 2] })]);
    expect(error).toMatchObject({ kind: 'mismatch' });
    expect(error!.message).toMatch(/lora_B\.bias" of a\.safetensors is \[2\], where .* 6 outputs/);
  });
});
