/** The kernels of the engine, linked from the shaders. */
import { linkWgsl, type WgslChoices } from '@/gpu/link-wgsl';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import type { KernelSource } from '@/gpu/pipelines';
import type { Tally } from './group-context';

const SHADERS = '../../../shaders/';

const texts = import.meta.glob<string>('../../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** Every shader, by its path without extension, such as `shared/dtype`. */
export const SHADER_FILES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(texts).map(([path, text]) => [path.slice(SHADERS.length, -'.wgsl'.length), text]),
);

/** Every kernel of the engine but those of kept values and of low-rank products. */
export const KERNELS = {
  merge: kernelSource('merge'),
  nonfinite: kernelSource('nonfinite'),
  histogramWorkgroup: histogram('workgroup'),
  histogramDirect: histogram('direct'),
  histogramCached: histogram('cached'),
  selectFold: kernelSource('select_fold'),
  selectThreshold: kernelSource('select_threshold'),
  selectTieCount: kernelSource('select_tie_count'),
  selectTieFind: kernelSource('select_tie_find'),
  stats: kernelSource('stats'),
  mask: kernelSource('mask'),
  keptMax: kernelSource('kept_max'),
  keptCount: kernelSource('kept_count'),
  decode: kernelSource('decode'),
  addEntries: kernelSource('add_entries'),
} as const;

/** Kernels that store or add kept values, each by the file that says how (`ValueCodec.wgsl`). */
export const VALUE_KERNELS = {
  apply: valueKernels('apply'),
  keptWrite: valueKernels('kept_write'),
};

/**
 * A kernel, linked.
 *
 * @param choices files for the names that it leaves open
 * @param name its own, where a shader makes several kernels
 */
export function kernelSource(
  shader: string,
  choices: WgslChoices = {},
  name = shader,
): KernelSource {
  return { name, code: linkWgsl(SHADER_FILES, shader, choices) };
}

function valueKernels(shader: string): Readonly<Record<string, KernelSource>> {
  const files = new Set(Object.values(VALUE_CODECS).map(({ wgsl }) => wgsl));
  const linked = (file: string): KernelSource =>
    kernelSource(shader, { value: `shared/${file}` }, `${shader}_${file}`);
  return Object.fromEntries(Array.from(files, (file) => [file, linked(file)]));
}

function histogram(tally: Tally | 'cached'): KernelSource {
  return kernelSource('histogram', { tally: `shared/tally_${tally}` }, `histogram_${tally}`);
}

/**
 * A kernel with barriers as it suits the adapter. Software adapters compile and run such kernels
 * invocation by invocation, so there a workgroup has 16 of them.
 */
export function withBarriers(source: KernelSource, tally: Tally): KernelSource {
  if (tally === 'workgroup') return source;
  return { ...source, overrides: { [source === KERNELS.stats ? 'LANES' : 'SCAN_SIZE']: 16 } };
}
