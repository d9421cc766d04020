/** Every format that adapters are read from. To add one: an `AdapterFormat`, and a line here. */
import { type AdapterFormat } from './lora/lora-adapter';
import { MLX } from './mlx/mlx-format';
import { PEFT } from './peft/peft-format';

/** Those that the names of weights tell stand before PEFT, whose configuration's name others use, too. */
const ADAPTER_FORMATS: readonly AdapterFormat[] = [MLX, PEFT];

/** The format of a folder that holds these files; null where it holds no whole adapter. */
export function adapterFormatOf(has: (name: string) => boolean): AdapterFormat | null {
  return ADAPTER_FORMATS.find((format) => format.recognises(has)) ?? null;
}

/** Whether a folder is marked as one adapter's, whatever else lies in it. */
export function hasAdapterConfig(has: (name: string) => boolean): boolean {
  return ADAPTER_FORMATS.some(({ files }) => has(files.config));
}

/** Whether a file of a folder is an adapter's weights, and so no checkpoint. */
export function isAdapterWeights(name: string, has: (name: string) => boolean): boolean {
  return ADAPTER_FORMATS.some((format) => format.ownsWeights(name, has));
}

/** @throws PeruError as `AdapterFormat.refuseIncomplete`, for a folder that holds no whole adapter */
export function refuseHalfAdapter(folder: string, names: readonly string[]): void {
  if (adapterFormatOf((name) => names.includes(name)) !== null) return;
  for (const format of ADAPTER_FORMATS) format.refuseIncomplete(folder, names);
}
