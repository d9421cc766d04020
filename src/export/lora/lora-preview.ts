/**
 * What a choice of ranks keeps of LoRA files, and the exact bytes of what is written. Pure: the worker
 * reports it, and the page shows it while a slider moves.
 */
import { buildSafetensorsHeader, type WrittenHeader } from '@/export/safetensors-writer';
import { keptEnergyShare, type RankChoice } from '@/methods/peru-lora';
import { COMBINED, type LoraChoices } from '@/recipe/lora-choices';
import { chooseLoraRanks, type LoraSpectrum } from './choose-lora-ranks';
import { type LoraContents, type LoraFileFacts } from './lora-contents';
import { type CarriedTensor, type LoraEntry, loraEntries } from './lora-entries';
import { loraConfig, loraMetadata } from './lora-metadata';
import { loraRecipeLine } from './lora-recipe-line';
import { loraTripletBytes } from './triplet-bytes';
import { type WrittenLoraModule, writtenModules } from './written-modules';

const COMBINED_FOLDER = 'combined';

export interface LoraRecipe {
  readonly rank: RankChoice;
  readonly lora: LoraChoices;
}

/** Singular values of every module, in the order of `LoraContents.modules`; empty where there is none. */
export interface LoraSpectra {
  /** A file's name, or `COMBINED`. */
  readonly task: string;
  readonly modules: readonly ArrayLike<number>[];
}

/** One file that would be made, with what stands beside it. */
export interface LoraOutput {
  readonly name: string;
  /** Whose names, order and metadata it has. */
  readonly file: LoraFileFacts;
  readonly path: string;
  /** Triplets kept, in the order of `LoraContents.modules`. */
  readonly ranks: readonly number[];
  /** Kept share of the squared norm, 0..1. */
  readonly energyShare: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly bytes: number;
}

/**
 * One entry a file, or one of all of them; null where its spectra are not known yet.
 *
 * @throws PeruError `unsupported` where a spelling has no name for a module, or for its bias
 */
export function previewLoras(
  contents: LoraContents,
  spectra: readonly LoraSpectra[],
  recipe: LoraRecipe,
): readonly LoraOutput[] | null {
  const wanted = outputNames(contents, recipe.lora);
  const own = wanted.map((name) => spectra.find(({ task }) => task === name));
  if (!own.every((one) => one !== undefined)) return null;
  const costs = wanted.map((name) => costsOf(contents, name));
  const all = own.map(({ modules }, output) =>
    modules.map((values, module): LoraSpectrum => {
      const { isConvolution } = contents.modules[module]!;
      return { values, bytesPerTriplet: costs[output]![module]!, isConvolution };
    }),
  );
  const ranks = chooseLoraRanks(all.flat(), recipe.rank, recipe.lora);
  const { length } = contents.modules;
  return wanted.map((name, output) =>
    outputOf(contents, name, recipe, {
      spectra: all[output]!,
      ranks: ranks.slice(output * length, (output + 1) * length),
    }),
  );
}

/** What is made, by the keys of spectra. */
function outputNames({ files }: LoraContents, { make }: Pick<LoraChoices, 'make'>): string[] {
  return make === 'one' ? [COMBINED] : files.map(({ name }) => name);
}

/** Of the file made of all, the first one's names and order. */
function templateOf({ files }: LoraContents, name: string): LoraFileFacts {
  return files.find((file) => file.name === name) ?? files[0]!;
}

function costsOf(contents: LoraContents, name: string): number[] {
  const template = templateOf(contents, name);
  return contents.modules.map((_, module) => {
    const owner =
      template.places[module]! >= 0
        ? template
        : contents.files.find(({ places }) => places[module]! >= 0)!;
    return loraTripletBytes(owner.factors[owner.places[module]!]!);
  });
}

function outputOf(
  contents: LoraContents,
  name: string,
  recipe: LoraRecipe,
  { spectra, ranks }: { readonly spectra: readonly LoraSpectrum[]; readonly ranks: number[] },
): LoraOutput {
  const file = templateOf(contents, name);
  const { header, config } = layOutLora(contents, { name, file, ranks }, recipe);
  const path = pathOf(file, name, config?.name ?? null, recipe.lora);
  const configBytes = config === null ? 0 : new TextEncoder().encode(config.text).length;
  const files = [
    ...(config === null ? [] : [{ name: besides(path, config.name), bytes: configBytes }]),
    { name: path, bytes: header.fileBytes },
  ];
  return {
    ...{ name, file, path, ranks, files },
    energyShare: keptEnergyShare(spectra, ranks),
    bytes: configBytes + header.fileBytes,
  };
}

/** A written file without its bytes. */
export interface LaidOutLora {
  readonly modules: readonly WrittenLoraModule[];
  readonly entries: readonly LoraEntry[];
  readonly header: WrittenHeader;
  readonly config: { readonly name: string; readonly text: string } | null;
}

/** @throws PeruError `unsupported` or `mismatch` where names can not be made, or clash */
export function layOutLora(
  contents: LoraContents,
  { name, file, ranks }: Pick<LoraOutput, 'name' | 'file' | 'ranks'>,
  recipe: LoraRecipe,
): LaidOutLora {
  const bringers = name === COMBINED ? contents.files : [file];
  const modules = writtenModules(contents, file, ranks, { ...recipe.lora, bringers });
  const carried = bringers.flatMap((one) =>
    recipe.lora.carried === 'leave'
      ? []
      : one.carried.map((tensor): CarriedTensor => ({ ...tensor, from: one.name })),
  );
  const entries = loraEntries(file, modules, carried);
  const metadata = loraMetadata(file, modules, {
    recipe: loraRecipeLine(contents, recipe),
    converted: recipe.lora.spelling,
  });
  const header = buildSafetensorsHeader(entries, metadata);
  return {
    modules,
    entries,
    header,
    config: loraConfig(file, modules, { ...recipe.lora, bringers }),
  };
}

/** Where it is written: as it was called; in a folder of its own where a configuration is beside it. */
function pathOf(
  { path, config: before }: LoraFileFacts,
  name: string,
  config: string | null,
  { spelling }: LoraChoices,
): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const isConverted = spelling !== 'source';
  const weights = spelling === 'mlx' ? 'adapters.safetensors' : 'adapter_model.safetensors';
  if (name === COMBINED) {
    return config === null
      ? `${COMBINED_FOLDER}.safetensors`
      : `${COMBINED_FOLDER}/${isConverted ? weights : base}`;
  }
  if (!isConverted) return path;
  // A folder's weights are called alike in all of them.
  if (config === null) return before === null ? path : `${name}.safetensors`;
  return `${name}/${weights}`;
}

function besides(path: string, name: string): string {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}${name}`;
}
