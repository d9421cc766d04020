/** The modules of a file that is to be written: what they are called, and how they are scaled. */
import { metadataModels } from '@/formats/lora-file/configured-scale';
import { type Spelling } from '@/formats/lora-file/spelling';
import { type LoraChoices } from '@/recipe/lora-choices';
import { type FloatDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { type FactorFacts, type LoraContents, type LoraFileFacts } from './lora-contents';
import { isPeftFolder, namesIn, withoutBiasName } from './written-names';

/** A module at the rank it is written with. */
/** What decides how a file's modules are written. */
export interface WrittenChoices extends Pick<LoraChoices, 'spelling' | 'alpha' | 'carried'> {
  /** Files whose products the written ones are made of. */
  readonly bringers: readonly LoraFileFacts[];
}

export interface WrittenLoraModule extends Omit<FactorFacts, 'spelling' | 'scale' | 'alpha'> {
  readonly spelling: Spelling;
  /** Its place among the modules of the group. */
  readonly module: number;
  /** What is written beside the factors; null: nothing, since another place says the scale, or 1. */
  readonly alpha: {
    readonly dtype: FloatDtype;
    readonly shape: readonly number[];
    readonly value: number;
  } | null;
  /** What a reader multiplies up down by: the factors are divided by it. */
  readonly scale: number;
}

/**
 * The modules of one output, in the order of its file.
 *
 * @param file whose names, order, dtypes and metadata the output has
 * @param ranks by module of the group; 0 where the output does not change it
 * @throws PeruError `unsupported` where a spelling has no name for a module, or for its bias
 */
export function writtenModules(
  contents: LoraContents,
  file: LoraFileFacts,
  ranks: readonly number[],
  choices: WrittenChoices,
): WrittenLoraModule[] {
  const own = file.factors.map((factor, place) => ({ factor, module: file.places.indexOf(place) }));
  const taken = new Set(own.map(({ module }) => module));
  // What the file itself does not change comes after what it does, as the files before bring it.
  const others = contents.modules.flatMap((_, module) => {
    if (taken.has(module)) return [];
    const bringer = contents.files.find(({ places }) => places[module]! >= 0)!;
    return [{ factor: bringer.factors[bringer.places[module]!]!, module }];
  });
  const all = [...own, ...others].filter(({ module }) => ranks[module]! > 0);
  const named = namesIn(contents, file, all, choices.spelling);
  const shared = sharedScale(
    file,
    all.map(({ factor }) => factor),
    choices,
  );
  const keys = named.map(({ key }) => key);
  const biases = all.map(({ module }) => biasDtypeOf(module, choices));
  const nameless = named.filter(({ spelling }, i) => biases[i] !== null && !spelling.ends.bias);
  if (nameless.length > 0) throw withoutBiasName(file.name, nameless);
  return all.map(({ factor, module }, i) => {
    const { spelling, key } = named[i]!;
    const biasDtype = biases[i]!;
    const written = { ...factor, spelling, key, module, rank: ranks[module]!, biasDtype };
    if (shared !== null) return { ...written, alpha: null, scale: shared };
    const asked = choices.alpha === 'rank' ? 1 : factor.scale;
    switch (saidBy(file, factor, key, { keys, spelling: choices.spelling })) {
      case 'alpha':
        return withAlpha(written, factor, asked);
      case 'configuration':
        return { ...written, alpha: null, scale: asked };
      case 'nothing':
        return { ...written, alpha: null, scale: 1 };
    }
  });
}

/** Of the first file that brings a bias for the module; null where none does, or it is left out. */
function biasDtypeOf(module: number, { bringers, carried }: WrittenChoices): FloatDtype | null {
  if (carried === 'leave') return null;
  for (const { places, factors } of bringers) {
    const dtype = factors[places[module]!]?.biasDtype ?? null;
    if (dtype !== null) return dtype;
  }
  return null;
}

/**
 * What tells a module's scale in the written file: an alpha; a configuration beside it or in its
 * metadata; or nothing, so that the factors must hold it. Loaders of diffusers take no file that has
 * alphas beside its metadata, unless it came so.
 */
function saidBy(
  file: LoraFileFacts,
  factor: FactorFacts,
  key: string,
  {
    keys,
    spelling,
  }: { readonly keys: readonly string[]; readonly spelling: LoraChoices['spelling'] },
): 'alpha' | 'configuration' | 'nothing' {
  if (spelling === 'kohya') return 'alpha';
  if (spelling === 'peft') return isPeftFolder(keys) ? 'configuration' : 'nothing';
  const isOwn = file.factors.includes(factor);
  if (isOwn && factor.alpha !== null) return 'alpha';
  if (file.config !== null) return 'configuration';
  const models = metadataModels(file.metadata);
  if (models === null) return 'alpha';
  return models.some((model) => key.startsWith(model)) ? 'configuration' : 'nothing';
}

/** The one scale of MLX's configuration: that of all modules, where they have one; else null. */
function sharedScale(
  file: LoraFileFacts,
  factors: readonly FactorFacts[],
  { spelling, alpha }: Pick<LoraChoices, 'spelling' | 'alpha'>,
): number | null {
  const isMlx = spelling === 'mlx' || (spelling === 'source' && file.config?.kind === 'mlx');
  if (!isMlx) return null;
  const [first] = factors;
  const isOne = factors.every(({ scale }) => scale === first!.scale);
  return isOne && alpha === 'ratio' ? first!.scale : 1;
}

/** An alpha stays where the source has one; a new one is written where the scale needs it. */
function withAlpha(
  module: Omit<WrittenLoraModule, 'alpha' | 'scale'>,
  { alpha, spelling }: FactorFacts,
  asked: number,
): WrittenLoraModule {
  const isNew = module.spelling.id === 'kohya' && spelling !== 'kohya';
  if (alpha === null && asked === 1 && !isNew) return { ...module, alpha: null, scale: 1 };
  const { dtype, shape } = alpha ?? { dtype: module.upDtype, shape: [] };
  // A reader finds alpha as it is rounded, and the scale from that.
  const value = rounded(asked * module.rank, dtype);
  return { ...module, alpha: { dtype, shape, value }, scale: value / module.rank };
}

function rounded(value: number, dtype: FloatDtype): number {
  return decodeFloats(encodeFloats(Float32Array.of(value), dtype), dtype)[0]!;
}
