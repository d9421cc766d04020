/** Merging trained adapters: cores of eight times sixteen columns whose spectra fall to rounding. */
import { expect, it } from 'vitest';
import { fetchBytes } from '@/evaluate/golden/providers';
import { MERGERS } from '@/methods/registry';
import { denseDelta } from '@/reference/low-rank-delta';
import { mergedProducts } from '@/formats/lora/merged-products';
import { loadGroup } from '@/jobs/load-group.fixture';

const ZOO = '/zoo/text';

async function file(path: string) {
  const bytes = await fetchBytes(`${ZOO}/${path}`);
  return { path, file: new File([bytes], path.slice(path.lastIndexOf('/') + 1)) };
}

it('the zoo’s eight adapters merge into one whose products are their weighted sums', async () => {
  const manifest = JSON.parse(
    new TextDecoder().decode(await fetchBytes(`${ZOO}/manifest.json`)),
  ) as { base: string; lambda: number; tasks: { adapter: string }[] };
  const folders = manifest.tasks.map(({ adapter }) => adapter);
  const files = await Promise.all([
    ...['config.json', 'model.safetensors'].map((name) => file(`${manifest.base}/${name}`)),
    ...folders.flatMap((folder) =>
      ['adapter_config.json', 'adapter_model.safetensors'].map((name) => file(`${folder}/${name}`)),
    ),
  ]);
  const { signal } = new AbortController();
  const group = await loadGroup({
    request: { kind: 'files', files },
    emit: () => undefined,
    signal,
  });
  if (group.kind !== 'adapters') throw new Error('Adapters opened as fine-tunes.');
  const plan = MERGERS['task-arithmetic'].plan(folders.length, manifest.lambda);
  const products = mergedProducts(group.products.products, plan);
  const merged = group.engine.createLowRankGroup(products);
  const report = await merged.factorize();
  // A residual and an orthogonality of a few units in the last place, times the root of 128 terms.
  expect(report.residual).toBeLessThan(1e-5);
  expect(report.orthogonality).toBeLessThan(1e-4);
  const dense = denseDelta(products[0]!);
  const { a, b, rank } = await merged.balancedFactors(0, merged.ranks[0]!);
  const { rows, columns } = products[0]!;
  let error = 0;
  let norm = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let value = 0;
      for (let k = 0; k < rank; k++) value += b[i * rank + k]! * a[k * columns + j]!;
      error += (value - dense[i * columns + j]!) ** 2;
      norm += dense[i * columns + j]! ** 2;
    }
  }
  expect(Math.sqrt(error / norm)).toBeLessThan(1e-5);
  merged.dispose();
  group.dispose();
}, 120_000);
