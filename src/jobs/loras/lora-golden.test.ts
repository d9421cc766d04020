/** LoRA files that PEFT, diffusers and sd-scripts wrote, opened without a base. */
import { afterEach, describe, expect, it } from 'vitest';
import { previewLoras } from '@/export/lora/lora-preview';
import { type RankChoice } from '@/methods/peru-lora';
import { DEFAULT_LORA, type LoraChoices } from '@/recipe/lora-choices';
import { loadGroup } from '@/jobs/load-group.fixture';
import { expectedOf, loraCase, LORA_CASES } from './lora-golden.fixture';
import { type LoraGroup } from './lora-group';

let group: LoraGroup | null = null;

async function openCase(name: string): Promise<LoraGroup> {
  const { signal } = new AbortController();
  const request = { kind: 'files' as const, files: loraCase(name) };
  const opened = await loadGroup({ request, emit: () => undefined, signal });
  if (opened.kind !== 'loras') throw new Error(`${name} opened as ${opened.kind}.`);
  group = opened;
  return opened;
}

afterEach(() => {
  group?.dispose();
  group = null;
});

/** Halves have 11 bits, and their products' singular values half a unit of the largest. */
const ROUNDING = 2 ** -20;

describe.each(LORA_CASES)('%s', (name) => {
  const expected = expectedOf(name);

  it('is read to the same modules, scales and singular values', async () => {
    const { files, scales, spectra, contents } = await openCase(name);
    const [file] = files;
    const known = file!.modules.map(({ key }) => key.replace(/^base_model\.model\./, ''));
    expect(known.sort()).toEqual(
      Object.keys(expected.modules)
        .map((key) => key.replace(/^base_model\.model\./, ''))
        .sort(),
    );
    expect(file!.carried.map((tensor) => tensor.name).sort()).toEqual([...expected.carried].sort());
    for (const [i, module] of file!.modules.entries()) {
      const wanted =
        expected.modules[module.key] ??
        expected.modules[module.key.replace(/^base_model\.model\./, '')]!;
      const { rows, columns, rank } = wanted;
      expect(module, module.key).toMatchObject({ rows, columns, rank });
      expect(scales[0]![i]! / wanted.scale).toBeCloseTo(1, 6);
      const place = contents.files[0]!.places.indexOf(i);
      const values = spectra[0]!.modules[place]!;
      const largest = wanted.singularValues[0]!;
      expect(values.length).toBe(Math.min(rank, rows, columns));
      for (const [k, value] of wanted.singularValues.entries()) {
        expect(Math.abs(values[k]! - value)).toBeLessThanOrEqual(ROUNDING * largest);
      }
    }
  });
});

const withResized = LORA_CASES.flatMap((name) =>
  (expectedOf(name).resized ?? []).map((one) => ({ name, ...one })),
);

/** resize_lora.py's options as a recipe. */
function recipeOf(args: readonly string[]): { rank: RankChoice; lora: LoraChoices } {
  const option = (key: string): string | undefined => args[args.indexOf(`--${key}`) + 1];
  const has = (key: string): boolean => args.includes(`--${key}`);
  const q = Number(option('new_rank'));
  if (has('dynamic_method')) {
    const parameter = Number(option('dynamic_param'));
    const rank: RankChoice =
      option('dynamic_method') === 'sv_fro'
        ? { by: 'fro', share: parameter }
        : { by: 'ratio', ratio: parameter };
    return { rank, lora: { ...DEFAULT_LORA, cap: q } };
  }
  const convolutions: RankChoice | null = has('new_conv_rank')
    ? { by: 'count', q: Number(option('new_conv_rank')) }
    : null;
  return { rank: { by: 'count', q }, lora: { ...DEFAULT_LORA, convolutions } };
}

describe('ranks', () => {
  it.each(withResized)('are those of sd-scripts: $name $args', async ({ name, args, modules }) => {
    const { contents, spectra } = await openCase(name);
    const [output] = previewLoras(contents, spectra, recipeOf(args))!;
    const [file] = contents.files;
    for (const [i, { key, scale }] of file!.factors.entries()) {
      const place = file!.places.indexOf(i);
      const { rank, alpha, fro_retained: kept } = modules[key]!;
      expect(output!.ranks[place], key).toBe(rank);
      expect(scale * rank).toBeCloseTo(alpha, 4);
      const values = Array.from(spectra[0]!.modules[place]!);
      const square = (own: readonly number[]): number => own.reduce((sum, v) => sum + v * v, 0);
      const share = Math.sqrt(square(values.slice(0, rank)) / square(values));
      expect(Math.abs(share - kept)).toBeLessThan(1e-4);
    }
  });
});
