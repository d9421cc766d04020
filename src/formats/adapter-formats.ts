/** Every format that adapters are read from. To add one: an `AdapterFormat`, and a line here. */
import { type AdapterFormat } from './lora/lora-adapter';
import { PEFT } from './peft/peft-format';

export const ADAPTER_FORMATS: readonly AdapterFormat[] = [PEFT];

/** The format of a folder that holds these files; null where it holds no whole adapter. */
export function adapterFormatOf(has: (name: string) => boolean): AdapterFormat | null {
  return ADAPTER_FORMATS.find((format) => format.recognises(has)) ?? null;
}

/** Whether a folder is marked as one adapter's, whatever else lies in it. */
export function hasAdapterConfig(has: (name: string) => boolean): boolean {
  return ADAPTER_FORMATS.some(({ files }) => has(files.config));
}

/** Whether a file is the weights of an adapter, by its name alone. */
export function isAdapterWeights(name: string): boolean {
  return ADAPTER_FORMATS.some(({ files }) => files.weights === name);
}
