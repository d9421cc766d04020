/** LoRA files written again: opened once more, they hold what was asked for. */
import { describe, expect, it } from 'vitest';
import { type LoraFile } from '@/formats/lora-file/lora-file';
import { exportFiles } from '@/jobs/cases/open-files.fixture';
import { type MemoryStore } from '@/jobs/context/memory-store.fixture';
import { loadGroup } from '@/jobs/load-group.fixture';
import { RECIPE } from '@/jobs/staging/export-group.fixture';
import { type AddedFile } from '@/protocol/requests';
import { DEFAULT_LORA, type LoraChoices } from '@/recipe/lora-choices';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { expectedOf, loraCase, LORA_CASES } from './lora-golden.fixture';
import { type LoraGroup } from './lora-group';

const FULL_RANK = 256;

function exported(
  files: readonly AddedFile[],
  q: number,
  lora: Partial<LoraChoices> = {},
): Promise<MemoryStore> {
  const recipe = {
    ...RECIPE,
    rank: { by: 'count' as const, q },
    lora: { ...DEFAULT_LORA, ...lora },
  };
  return exportFiles(files, undefined, recipe);
}

function filesIn(store: MemoryStore): AddedFile[] {
  return [...store.files]
    .filter(([path]) => /\.safetensors$|adapter_config\.json$/.test(path))
    .map(([path, bytes]) => {
      return { path, file: new File([bytes], path.slice(path.lastIndexOf('/') + 1)) };
    });
}

async function opened(files: readonly AddedFile[]): Promise<LoraGroup> {
  const { signal } = new AbortController();
  const request = { kind: 'files' as const, files };
  const group = await loadGroup({ request, emit: () => undefined, signal });
  if (group.kind !== 'loras') throw new Error(`The export opened as ${group.kind}.`);
  return group;
}

/** Singular values by the module's name in the group. */
function valuesOf({ contents, spectra }: LoraGroup, file = 0): Map<string, number[]> {
  return new Map(
    spectra[file]!.modules.flatMap((values, i) =>
      values.length === 0 ? [] : [[contents.modules[i]!.name, Array.from(values)] as const],
    ),
  );
}

/** Of the largest singular value: what the dtype written leaves of two factors; F64 is written as F32. */
const TOLERANCE: Readonly<Record<string, number>> = {
  ...{ F64: 1e-5, F32: 1e-5 },
  ...{ F16: 2e-3, BF16: 1.6e-2 },
};

function toleranceOf({ modules }: LoraFile): number {
  return TOLERANCE[modules[0]!.up.dtype]!;
}

describe.each(LORA_CASES)('%s', (name) => {
  const source = loraCase(name);

  it('comes back whole at full rank, with its names, order and scales', async () => {
    const before = await opened(source);
    const after = await opened(filesIn(await exported(source, FULL_RANK)));
    const [one, other] = [before.files[0]!, after.files[0]!];
    expect(other.modules.map(({ key }) => key)).toEqual(one.modules.map(({ key }) => key));
    expect(other.order).toEqual(one.order.filter((tensor) => !tensor.endsWith('.lora_mid.weight')));
    expect(other.carried.map((tensor) => tensor.name)).toEqual(
      one.carried.map((tensor) => tensor.name),
    );
    for (const [i, scale] of before.scales[0]!.entries()) {
      // An alpha of half precision is rounded at each rank anew.
      expect(after.scales[0]![i]! / scale).toBeCloseTo(1, 2);
    }
    const tolerance = toleranceOf(one);
    const written = valuesOf(after);
    for (const [module, values] of valuesOf(before)) {
      for (const [k, value] of values.entries()) {
        const found = written.get(module)![k] ?? 0;
        expect(Math.abs(found - value), module).toBeLessThanOrEqual(tolerance * values[0]!);
      }
    }
    before.dispose();
    after.dispose();
  });

  it('keeps the leading triplets, with alpha = r where asked', async () => {
    const before = await opened(source);
    const store = await exported(source, 2, { alpha: 'rank' });
    const after = await opened(filesIn(store));
    for (const scale of after.scales[0]!) expect(scale).toBe(1);
    const written = valuesOf(after);
    for (const [module, values] of valuesOf(before)) {
      const kept = written.get(module)!;
      expect(kept.length).toBe(Math.min(2, values.length));
      for (const [k, value] of kept.entries()) {
        expect(Math.abs(value - values[k]!)).toBeLessThanOrEqual(
          toleranceOf(before.files[0]!) * values[0]!,
        );
      }
    }
    before.dispose();
    after.dispose();
  });

  it('copies what is no factor byte for byte, and the metadata', async () => {
    const store = await exported(source, 1);
    const weights = filesIn(store).find(({ path }) => path.endsWith('.safetensors'))!;
    const own = source.find(({ path }) => path.endsWith('.safetensors'))!;
    const [before, after] = await Promise.all(
      [own, weights].map(({ file, path }) => readSafetensorsHeader(file, path)),
    );
    const bytes = async (from: AddedFile, header: typeof before, tensor: string) => {
      const { byteStart, byteLength } = header!.tensors.get(tensor)!;
      return new Uint8Array(await from.file.slice(byteStart, byteStart + byteLength).arrayBuffer());
    };
    for (const tensor of expectedOf(name).carried) {
      expect(await bytes(weights, after, tensor)).toEqual(await bytes(own, before, tensor));
    }
    const renewed = /^(ss_network_(dim|alpha)|sshs_.*|modelspec\.hash_.*|lora_adapter_metadata)$/;
    for (const [key, value] of before!.metadata) {
      if (!renewed.test(key)) expect(after!.metadata.get(key), key).toBe(value);
    }
    expect(JSON.parse(after!.metadata.get('peru')!)).toMatchObject({ peru: 1 });
  });
});
