/** Providers for tests; a missing adapter fails the test, never skips it. */
import { type Provider } from '../runtime/session';

/** Onnxruntime's webgpu provider takes minutes on a software adapter: `npm run test:full`. */
export const PROVIDER_KINDS: readonly Provider['kind'][] =
  import.meta.env['PERU_PROVIDERS'] === 'all' ? ['wasm', 'webgpu'] : ['wasm'];

let device: Promise<GPUDevice> | null = null;

/** The wasm provider, or webgpu on a device of the test's own. */
export async function openProvider(kind: Provider['kind']): Promise<Provider> {
  if (kind === 'wasm') return { kind };
  device ??= requestDevice();
  return { kind, device: await device };
}

async function requestDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('This browser gives no WebGPU adapter.');
  return adapter.requestDevice();
}

/** The bytes at an address of the test server. */
export async function fetchBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** Largest absolute difference; NaN where any value is NaN, so that every comparison fails. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
