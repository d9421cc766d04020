/** Exact size of a PEFT adapter folder, `TASK/adapter_config.json` and its safetensors, unwritten. */
import { buildSafetensorsHeader, type HeaderEntry } from './safetensors-writer';

/** One adapted weight at the rank it is written with. */
export interface WrittenModule {
  /** Name of the base's weight, `….weight`. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Triplets kept; a module without any is left out of the adapter. */
  readonly rank: number;
}

export interface AdapterFolderSpec {
  readonly modules: readonly WrittenModule[];
  /** Bytes of full copies (biases, heads) that travel with it. */
  readonly otherBytes: number;
}

const F32_BYTES = 4;

/** Bytes one more triplet of a module takes in the file: a column of U and one of V, in F32. */
export function tripletBytes({ rows, columns }: { rows: number; columns: number }): number {
  return F32_BYTES * (rows + columns);
}

/** The folder's files and their exact bytes. */
export function adapterFolderSize(
  folder: string,
  { modules, otherBytes }: AdapterFolderSpec,
): { readonly name: string; readonly bytes: number }[] {
  const written = modules.filter(({ rank }) => rank > 0);
  const header = buildSafetensorsHeader(adapterEntries(written), new Map([['format', 'pt']]));
  const config = JSON.stringify(adapterConfig(written), null, 2);
  return [
    { name: `${folder}/adapter_config.json`, bytes: new TextEncoder().encode(config).length },
    { name: `${folder}/adapter_model.safetensors`, bytes: header.fileBytes + otherBytes },
  ];
}

/** lora_A [rank, columns] and lora_B [rows, rank] of each module, as PEFT names them. */
export function adapterEntries(modules: readonly WrittenModule[]): HeaderEntry[] {
  return modules.flatMap(({ name, rows, columns, rank }): HeaderEntry[] => {
    const key = `base_model.model.${moduleName(name)}`;
    return [
      { name: `${key}.lora_A.weight`, dtype: 'F32', shape: [rank, columns] },
      { name: `${key}.lora_B.weight`, dtype: 'F32', shape: [rows, rank] },
    ];
  });
}

/**
 * What PEFT needs to rebuild the delta with scale 1: lora_alpha = r, both by module where ranks
 * differ (`rank_pattern`, `alpha_pattern`; PEFT matches their keys as suffixes of module names).
 */
export function adapterConfig(modules: readonly WrittenModule[]): Record<string, unknown> {
  const largest = modules.reduce((most, { rank }) => Math.max(most, rank), 1);
  const pattern = Object.fromEntries(
    modules
      .filter(({ rank }) => rank !== largest)
      .map(({ name, rank }) => [moduleName(name), rank] as const),
  );
  return {
    peft_type: 'LORA',
    r: largest,
    lora_alpha: largest,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    target_modules: modules.map(({ name }) => moduleName(name)),
    rank_pattern: pattern,
    alpha_pattern: pattern,
    inference_mode: true,
  };
}

function moduleName(weightName: string): string {
  return weightName.replace(/\.weight$/, '');
}
