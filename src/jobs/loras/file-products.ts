/** The products of LoRA files, and of their sum, as they are read for the engine. */
import { type LoraFile } from '@/formats/lora-file/lora-file';
import { readTerms } from '@/formats/lora-file/read-modules';
import { refuseNonFinite } from '@/jobs/group/load-weights';
import { type SharedModule } from '@/plan/loras/match-files';
import { type Engine } from '@/tensor/engine';
import { type LowRankGroup, type LowRankProduct, type LowRankTerm } from '@/tensor/low-rank';
import { type LoraMemory, productBytes, sumBytes } from './lora-memory';
import { ProductBatches } from './product-batches';

export interface ScaledFiles {
  readonly files: readonly LoraFile[];
  /** By file, by module. */
  readonly scales: readonly (readonly number[])[];
}

interface Place {
  readonly file: number;
  readonly module: number;
}

/** Place of a file's first module among all products. */
export function firstProduct(files: readonly LoraFile[], file: number): number {
  return files.slice(0, file).reduce((sum, { modules }) => sum + modules.length, 0);
}

/** All modules of all files, each by itself, file after file. */
export function fileProducts(
  engine: Engine,
  scaled: ScaledFiles,
  memory: LoraMemory,
  allowNonFinite: boolean,
): ProductBatches {
  const { files } = scaled;
  const places = files.flatMap(({ modules }, file) =>
    modules.map((_, module): Place => ({ file, module })),
  );
  const products = (from: number, to: number): readonly Place[] => places.slice(from, to);
  return new ProductBatches(engine, {
    byteLengths: files.flatMap(({ modules }) => modules.map(productBytes)),
    read: async (from, to, signal) => {
      const own = products(from, to);
      const terms = await termsOf(scaled, own, signal);
      return own.map(({ file, module }, i): LowRankProduct => {
        const { label, modules } = files[file]!;
        const { key, rows, columns } = modules[module]!;
        return { name: `${label}: ${key}`, rows, columns, terms: [terms[i]!] };
      });
    },
    ...(!allowNonFinite && { check: checkOf(files, products) }),
    batchBytes: memory.batchBytes,
    isResident: memory.holdsFiles,
  });
}

/** sum_t w_t Δ_t of every module, its terms side by side: no cross terms, and nothing multiplied out. */
export function sumProducts(
  engine: Engine,
  scaled: ScaledFiles,
  modules: readonly SharedModule[],
  weights: readonly number[],
  memory: LoraMemory,
): ProductBatches {
  return new ProductBatches(engine, {
    byteLengths: modules.map((one) => sumBytes(scaled.files, one)),
    read: async (from, to, signal) => {
      const own = modules.slice(from, to);
      const places = own.flatMap((one) => placesOf(one));
      const terms = (await termsOf(scaled, places, signal)).map((term, i) => {
        return { ...term, coefficient: term.coefficient * weights[places[i]!.file]! };
      });
      let next = 0;
      return own.map((one): LowRankProduct => {
        const count = placesOf(one).length;
        next += count;
        const { path: name, rows, columns } = one;
        return { name, rows, columns, terms: terms.slice(next - count, next) };
      });
    },
    batchBytes: memory.batchBytes,
    isResident: memory.holdsSum,
  });
}

/** Where files have the module, in their order. */
export function placesOf({ places }: SharedModule): Place[] {
  return places.flatMap((module, file) => (module < 0 ? [] : [{ file, module }]));
}

/** In the order of the places; what lies in one file is read together. */
export async function termsOf(
  { files, scales }: ScaledFiles,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<LowRankTerm[]> {
  const terms = new Array<LowRankTerm>(places.length);
  for (const [file, { modules }] of files.entries()) {
    const own = [...places.entries()].filter(([, place]) => place.file === file);
    const read = await readTerms(
      own.map(([, { module }]) => {
        return { module: modules[module]!, scale: scales[file]![module]! };
      }),
      signal,
    );
    for (const [i, [index]] of own.entries()) terms[index] = read[i]!;
  }
  return terms;
}

function checkOf(
  files: readonly LoraFile[],
  productsOf: (from: number, to: number) => readonly Place[],
) {
  return async (lowRank: LowRankGroup, from: number): Promise<void> => {
    const counts = await lowRank.countNonFinite();
    const places = productsOf(from, from + counts.length);
    for (const [file, { label, modules }] of files.entries()) {
      const tensors = places.flatMap((place, i) =>
        place.file === file ? [{ name: modules[place.module]!.key, count: counts[i]! }] : [],
      );
      refuseNonFinite(label, tensors, false);
    }
  };
}
