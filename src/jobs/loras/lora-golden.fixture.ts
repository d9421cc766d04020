/** LoRA files that other programs wrote (scripts/lora_files.py), with what float64 makes of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { type AddedFile } from '@/protocol/requests';

const GOLDEN = new URL('../../formats/lora-file/golden/', import.meta.url);

export interface ExpectedModule {
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
  readonly scale: number;
  /** Of scale * up down. */
  readonly singularValues: readonly number[];
  /** First entries of the product with x, x_i = cos(i + 1). */
  readonly probe: readonly number[];
}

export interface ExpectedFile {
  readonly file: string;
  readonly carried: readonly string[];
  readonly modules: Readonly<Record<string, ExpectedModule>>;
  /** What sd-scripts' resize_lora.py made of it. */
  readonly resized?: readonly {
    readonly args: readonly string[];
    readonly modules: Readonly<
      Record<
        string,
        { readonly rank: number; readonly alpha: number; readonly fro_retained: number }
      >
    >;
  }[];
}

/** Names of all cases. */
export const LORA_CASES = readdirSync(GOLDEN).sort();

export function expectedOf(name: string): ExpectedFile {
  return JSON.parse(readFileSync(new URL(`${name}/expected.json`, GOLDEN), 'utf8')) as ExpectedFile;
}

/** A case's files as a visitor would add them, in a folder of its name. */
export function loraCase(name: string): AddedFile[] {
  const folder = new URL(`${name}/`, GOLDEN);
  return readdirSync(folder)
    .filter((file) => file !== 'expected.json')
    .map((file) => {
      return {
        path: `${name}/${file}`,
        file: new File([readFileSync(new URL(file, folder))], file),
      };
    });
}
