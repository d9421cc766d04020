/** Adapters of mlx-lm's with their base: what PEFT's of the same numbers give. */
import { describe, expect, it } from 'vitest';
import { exportFiles, openFiles } from '@/jobs/cases/open-files.fixture';
import { RECIPE } from '@/jobs/staging/export-group.fixture';
import { type AddedFile } from '@/protocol/requests';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { f32, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';

const RANK = 3;
const SCALE = 2.5;
const TOKENS = 11;
const SIZE = 6;
const P = 'model.layers.0.self_attn';
/** Inputs and outputs of what is adapted: a square layer, one that is not, and a table. */
const MODULES = [
  { path: `${P}.q_proj`, inputs: SIZE, out: SIZE },
  { path: `${P}.v_proj`, inputs: SIZE, out: 4 },
  { path: 'model.embed_tokens', inputs: TOKENS, out: SIZE },
];
const isTable = (path: string): boolean => path.endsWith('embed_tokens');

function wave(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
}

/** [columns, rows] of a matrix [rows, columns]. */
function transposed(values: readonly number[], rows: number): number[] {
  const columns = values.length / rows;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** a [in, rank] and b [rank, out] of a task's module, as MLX has them. */
function factors(task: number, module: number): { readonly a: number[]; readonly b: number[] } {
  const { inputs, out } = MODULES[module]!;
  const seed = 10 * task + module;
  return { a: wave(seed + 1, inputs * RANK), b: wave(seed + 5, RANK * out) };
}

function added(path: string, content: BlobPart): AddedFile {
  return { path, file: new File([content], path.split('/').at(-1)!) };
}

function folder(
  name: string,
  weights: string,
  config: object,
  tensors: Readonly<Record<string, FixtureTensor>>,
): AddedFile[] {
  return [
    added(`${name}/adapter_config.json`, JSON.stringify(config)),
    added(`${name}/${weights}`, soundFile(tensors)),
  ];
}

function mlxAdapter(name: string, task: number): AddedFile[] {
  const tensors = MODULES.flatMap(({ path, inputs, out }, i) => {
    const { a, b } = factors(task, i);
    return [
      [`${path}.lora_a`, f32([inputs, RANK], a)],
      [`${path}.lora_b`, f32([RANK, out], b)],
    ] as const;
  });
  const config = { fine_tune_type: 'lora', lora_parameters: { rank: RANK, scale: SCALE } };
  return folder(name, 'adapters.safetensors', config, Object.fromEntries(tensors));
}

function peftAdapter(name: string, task: number): AddedFile[] {
  const tensors = MODULES.flatMap(({ path, inputs, out }, i) => {
    const { a, b } = factors(task, i);
    const [A, B] = isTable(path)
      ? ['lora_embedding_A', 'lora_embedding_B']
      : ['lora_A.weight', 'lora_B.weight'];
    return [
      [`base_model.model.${path}.${A}`, f32([RANK, inputs], transposed(a, inputs))],
      [`base_model.model.${path}.${B}`, f32([out, RANK], transposed(b, RANK))],
    ] as const;
  });
  const config = {
    peft_type: 'LORA',
    r: RANK,
    lora_alpha: SCALE * RANK,
    target_modules: ['q_proj', 'v_proj', 'embed_tokens'],
  };
  return folder(name, 'adapter_model.safetensors', config, Object.fromEntries(tensors));
}

const weights = MODULES.map(({ path, inputs, out }, i) => {
  const shape = isTable(path) ? [inputs, out] : [out, inputs];
  return [`${path}.weight`, f32(shape, wave(70 + i, inputs * out))] as const;
});
const base = added('base.safetensors', soundFile(Object.fromEntries(weights)));

/** The weights of all adapter folders that are written, by path. */
async function written(
  kind: (name: string, task: number) => AddedFile[],
  q: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = [base, ...kind('chat', 0), ...kind('sql', 1)];
  const { files: found } = await exportFiles(files, undefined, {
    ...RECIPE,
    rank: { by: 'count', q },
  });
  return new Map([...found].filter(([path]) => path.endsWith('.safetensors')));
}

/** Δ of one module of a written adapter, [out, in] as PEFT has it. */
async function writtenDelta(bytes: Uint8Array, module: number): Promise<number[]> {
  const { path, inputs, out } = MODULES[module]!;
  const blob = new Blob([bytes.slice()]);
  const header = await readSafetensorsHeader(blob, 'written');
  const read = async (side: string) => {
    const end = isTable(path) ? `lora_embedding_${side}` : `lora_${side}.weight`;
    const data = await readTensorBytes(blob, header, `base_model.model.${path}.${end}`);
    return new Float32Array(data.buffer);
  };
  const [a, b] = [await read('A'), await read('B')];
  const rank = a.length / inputs;
  return Array.from({ length: out * inputs }, (_, at) => {
    const [row, column] = [Math.floor(at / inputs), at % inputs];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * inputs + column]!;
    return sum;
  });
}

describe('adapters of mlx-lm’s', () => {
  it.each([1, 2, RANK])(
    'give the files that PEFT’s of the same numbers give, at rank %i',
    async (q) => {
      const [mlx, peft] = [await written(mlxAdapter, q), await written(peftAdapter, q)];
      expect([...mlx.keys()]).toEqual(
        ['chat', 'sql', 'merged'].map((name) => `${name}/adapter_model.safetensors`),
      );
      for (const [path, bytes] of peft) expect(mlx.get(path), path).toEqual(bytes);
    },
  );

  it('are written at full rank as scale * (lora_a lora_b)ᵀ', async () => {
    const files = await written(mlxAdapter, RANK);
    for (const [module, { inputs, out }] of MODULES.entries()) {
      const { a, b } = factors(0, module);
      const found = await writtenDelta(files.get('chat/adapter_model.safetensors')!, module);
      for (const [at, value] of found.entries()) {
        const [row, column] = [Math.floor(at / inputs), at % inputs];
        let sum = 0;
        for (let k = 0; k < RANK; k++) sum += a[column * RANK + k]! * b[k * out + row]!;
        expect(value).toBeCloseTo(SCALE * sum, 4);
      }
    }
  });

  it('stand beside PEFT’s in one group', async () => {
    const files = [base, ...mlxAdapter('chat', 0), ...peftAdapter('sql', 1)];
    const { preflight, error } = await openFiles(files);
    expect(error).toBeNull();
    expect(preflight).toMatchObject({ kind: 'adapters', tensors: { mergedTensors: 3 } });
  });

  it('of a base that is quantised are told so', async () => {
    const codes = { dtype: 'U32' as const, shape: [4, 1], bytes: new Uint8Array(16) };
    const tensors = {
      [`${P}.v_proj.weight`]: codes,
      [`${P}.v_proj.scales`]: f32([4, 1], [1, 1, 1, 1]),
    };
    const quantised = added('base.safetensors', soundFile(tensors));
    const { error } = await openFiles([quantised, ...mlxAdapter('chat', 0)]);
    expect(error).toMatchObject({ kind: 'unsupported' });
    expect(error!.hint).toMatch(/mlx_lm\.convert --dequantize/);
  });
});
