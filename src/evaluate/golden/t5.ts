/** The golden T5 models of golden/t5 for tests in the browser. */
import { type BaseTensor, loadBaseWeights, type ResidentWeights } from '../runtime/base-weights';
import { type Provider } from '../runtime/session';
import { fetchBytes } from './providers';
import { floats, type GoldenFile, parseGolden } from './read-golden';

const files = import.meta.glob<string>('./t5/**/*.{json,safetensors}', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The bytes of a file below golden/t5. */
export function goldenBytes(path: string): Promise<ArrayBuffer> {
  return fetchBytes(files[`./t5/${path}`]!);
}

/** A JSON file below golden/t5. */
export async function goldenJson<T>(path: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await goldenBytes(path))) as T;
}

export interface ProvidedWeights {
  readonly tensors: ReadonlyMap<string, BaseTensor>;
  readonly dispose: () => void;
}

/** Weights where a provider takes them: as arrays, or in buffers of its device. */
export async function provideWeights(
  tensors: ReadonlyMap<string, BaseTensor>,
  provider: Provider,
): Promise<ProvidedWeights> {
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const read = (name: string): Promise<BaseTensor> => Promise.resolve(tensors.get(name)!);
  const { feeds, dispose }: ResidentWeights = await loadBaseWeights(shapes, read, provider);
  // Weights never come as feeds of token ids.
  return { tensors: feeds as ReadonlyMap<string, BaseTensor>, dispose };
}

/** The weights of a golden model. */
export async function goldenWeights(name: string, provider: Provider): Promise<ProvidedWeights> {
  const model = parseGolden(await goldenBytes(`${name}/model.safetensors`));
  const names = [...model.tensors.keys()];
  return provideWeights(new Map(names.map((key) => [key, floats(model, key)])), provider);
}

/** Rows of an int tensor [rows, width]. */
export function intRows(file: GoldenFile, name: string): Int32Array[] {
  const { shape, data } = file.tensors.get(name)!;
  const [count, width] = shape as [number, number];
  return Array.from({ length: count }, (_, i) =>
    (data as Int32Array).slice(i * width, (i + 1) * width),
  );
}
