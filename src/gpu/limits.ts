/** What is asked of an adapter beyond WebGPU's defaults, and what is told about it. */
import { type AdapterReport } from '@/tensor/engine';

/** Limits raised to the adapter's own; everything works with the defaults too. */
export const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/**
 * Taken when offered, never needed: timing of passes, and what onnxruntime's kernels on the same
 * device make use of.
 */
export const OPTIONAL_FEATURES: readonly GPUFeatureName[] = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
];

/** The adapter's own values of the raised limits, as `requestDevice` takes them. */
export function ownLimits(adapter: GPUAdapter): Record<string, number> {
  return Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]]));
}

/** Names under which software adapters are known where the browser does not flag them. */
const SOFTWARE_ADAPTERS = /swiftshader|llvmpipe|lavapipe|basic render|softpipe/i;

export function reportAdapter(adapter: GPUAdapter): AdapterReport {
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const named = SOFTWARE_ADAPTERS.test(`${vendor} ${architecture} ${description}`);
  return { vendor, architecture, description, fallback: isFallbackAdapter || named };
}
