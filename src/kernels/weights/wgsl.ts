/** The kernels of the engine, linked from the shaders. */
import { linkWgsl, type WgslChoices } from '@/gpu/link-wgsl';
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

const VALUE_FLOAT = { value: 'shared/value_float' };
const VALUE_I8 = { value: 'shared/value_i8' };

/** Every kernel of the engine but those of low-rank products. */
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
  apply: kernelSource('apply', VALUE_FLOAT),
  applyI8: kernelSource('apply', VALUE_I8, 'apply_i8'),
  keptMax: kernelSource('kept_max'),
  keptCount: kernelSource('kept_count'),
  keptWrite: kernelSource('kept_write', VALUE_FLOAT),
  keptWriteI8: kernelSource('kept_write', VALUE_I8, 'kept_write_i8'),
  decode: kernelSource('decode'),
} as const;

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
