/** Exact size of a PEFT adapter folder, `TASK/adapter_config.json` and its safetensors. */
import { type AdaptedLayer } from '@/formats/lora/adapter-plan';
import { bitsPerElement } from '@/tensor/safetensors-dtype';
import { adapterConfig, layerOf, type SourceSettings, writtenLayer } from './adapter-config';
import {
  buildSafetensorsHeader,
  type HeaderEntry,
  type WrittenHeader,
} from '@/export/safetensors-writer';

/** One adapted weight at the rank it is written with. */
export interface WrittenModule {
  /** Name of the base's weight, `….weight`. */
  readonly name: string;
  /** Its name in the model that is adapted; the base's unless told. */
  readonly writtenName?: string;
  /** The weight as a matrix; a convolution's is [out, in * height * width]. */
  readonly rows: number;
  readonly columns: number;
  /** Triplets kept; a module without any is left out of the adapter. */
  readonly rank: number;
  /** How PEFT adapts such a layer; `linear` unless told. */
  readonly layer?: AdaptedLayer;
}

export interface AdapterFolderSpec {
  readonly modules: readonly WrittenModule[];
  /** Full copies (biases, heads) that travel with it, by their names in the adapted model; default: none. */
  readonly copies?: readonly HeaderEntry[];
  /** What the source's configuration says that is said again; default: nothing. */
  readonly source?: SourceSettings;
  /** Bytes of full copies, where no more is known of them: their headers are not counted. */
  readonly otherBytes?: number;
  /** `base_model_name_or_path`; null where the base has no address. */
  readonly baseModel?: string | null;
}

/** What stands in `adapter_model.safetensors`, and where. */
export interface AdapterHeader {
  /** The factors' entries in pairs, a module's A before its B; then the copies' in their order. */
  readonly entries: readonly HeaderEntry[];
  readonly header: WrittenHeader;
}

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_MODEL = 'adapter_model.safetensors';

const F32_BYTES = 4;

/** Bytes one more triplet of a module takes in the file: a column of U and one of V, in F32. */
export function tripletBytes({ rows, columns }: { rows: number; columns: number }): number {
  return F32_BYTES * (rows + columns);
}

/** The folder's files and their exact bytes. */
export function adapterFolderSize(
  folder: string,
  spec: AdapterFolderSpec,
): { readonly name: string; readonly bytes: number }[] {
  const { header } = adapterHeader(spec);
  const config = new TextEncoder().encode(adapterConfigText(spec)).length;
  return [
    { name: `${folder}/${ADAPTER_CONFIG}`, bytes: config },
    { name: `${folder}/${ADAPTER_MODEL}`, bytes: header.fileBytes + (spec.otherBytes ?? 0) },
  ];
}

/** Modules that are written: those that keep a triplet. */
export function writtenModules({ modules }: AdapterFolderSpec): WrittenModule[] {
  return modules.filter(({ rank }) => rank > 0);
}

/** Full copies in the order they are written: widest elements first, so that all is aligned. */
export function writtenCopies({ copies = [] }: AdapterFolderSpec): HeaderEntry[] {
  return [...copies].sort((a, b) => bitsPerElement(b.dtype) - bitsPerElement(a.dtype));
}

/** Text of `adapter_config.json`. */
export function adapterConfigText(spec: AdapterFolderSpec): string {
  return JSON.stringify(adapterConfig({ ...spec, modules: writtenModules(spec) }), null, 2);
}

export function adapterHeader(spec: AdapterFolderSpec): AdapterHeader {
  const modules = writtenModules(spec);
  const adapted = new Set(modules.map(writtenLayer));
  const entries = [
    ...modules.flatMap((module) => factorEntries(module)),
    ...writtenCopies(spec).map((copy): HeaderEntry => {
      return { ...copy, name: copyKey(copy.name, adapted) };
    }),
  ];
  return { entries, header: buildSafetensorsHeader(entries, new Map([['format', 'pt']])) };
}

/** lora_A and lora_B as PEFT shapes and names them (huggingface/peft, `tuners/lora/layer.py`). */
function factorEntries(module: WrittenModule): HeaderEntry[] {
  const { rows, columns, rank, layer } = module;
  const key = `base_model.model.${writtenLayer(module)}`;
  const entry = (side: string, shape: readonly number[]): HeaderEntry => {
    return { name: `${key}.lora_${side}`, dtype: 'F32', shape };
  };
  switch (layer) {
    case 'embedding':
      return [entry('embedding_A', [rank, rows]), entry('embedding_B', [columns, rank])];
    case 'conv1d':
      return [entry('A.weight', [rank, rows]), entry('B.weight', [columns, rank])];
    case 'linear':
    case undefined:
      return [entry('A.weight', [rank, columns]), entry('B.weight', [rows, rank])];
  }
  const [, ...input] = layer.convolution;
  const points = layer.convolution.slice(2).map(() => 1);
  return [entry('A.weight', [rank, ...input]), entry('B.weight', [rows, rank, ...points])];
}

/**
 * Where PEFT looks for a trained copy: under the layer's own name; inside a layer that is adapted
 * too, PEFT has moved the base's tensors to `base_layer`.
 */
function copyKey(name: string, adapted: ReadonlySet<string>): string {
  const layer = layerOf(name);
  const inBase = adapted.has(layer) ? `${layer}.base_layer${name.slice(layer.length)}` : name;
  return `base_model.model.${inBase}`;
}
