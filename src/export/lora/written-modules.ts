/** The modules of a file that is to be written: what they are called, and how they are scaled. */
import { PeruError } from '@/core/errors';
import { listNames } from '@/core/list-names';
import { DIFFUSERS_METADATA } from '@/formats/lora-file/configured-scale';
import { type Spelling, SPELLINGS } from '@/formats/lora-file/spelling';
import { type ModulePath, modulePath } from '@/formats/lora-file/module-path';
import { type LoraChoices } from '@/recipe/lora-choices';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { type FactorFacts, type LoraContents, type LoraFileFacts } from './lora-contents';

/** A module at the rank it is written with. */
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

export function spellingOf(id: FactorFacts['spelling']): Spelling {
  return SPELLINGS.find((one) => one.id === id)!;
}

/** Bytes of one more triplet as this module is written. */
export function loraTripletBytes(
  one: Pick<FactorFacts, 'rows' | 'columns' | 'upDtype' | 'downDtype'>,
) {
  return one.rows * bytesPerElement(one.upDtype) + one.columns * bytesPerElement(one.downDtype);
}

/**
 * The modules of one output, in the order of its file.
 *
 * @param file whose names, order, dtypes and metadata the output has
 * @param ranks by module of the group; 0 where the output does not change it
 * @throws PeruError `unsupported` where a spelling has no name for a module
 */
export function writtenModules(
  contents: LoraContents,
  file: LoraFileFacts,
  ranks: readonly number[],
  choices: Pick<LoraChoices, 'spelling' | 'alpha'>,
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
  return all.map(({ factor, module }, i) => {
    const { spelling, key } = named[i]!;
    const written = { ...factor, spelling, key, module, rank: ranks[module]! };
    if (shared !== null) return { ...written, alpha: null, scale: shared };
    const isLoosePeft = choices.spelling === 'peft' && !key.startsWith(PEFT_PREFIX);
    // Loaders of such files know no alpha.
    const asked = choices.alpha === 'rank' || isLoosePeft ? 1 : factor.scale;
    const isSaid = saysScales(file, choices) && factor.alpha === null;
    if (isSaid || isLoosePeft) return { ...written, alpha: null, scale: asked };
    return withAlpha(written, factor, asked);
  });
}

const PEFT_PREFIX = 'base_model.model.';

/** Whether a configuration beside the file, or in its metadata, tells each module's scale. */
function saysScales(
  { config, metadata }: LoraFileFacts,
  { spelling }: Pick<LoraChoices, 'spelling'>,
): boolean {
  if (spelling !== 'source') return spelling === 'peft';
  return config !== null || metadata.some(([key]) => key === DIFFUSERS_METADATA);
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

interface Named {
  readonly spelling: Spelling;
  readonly key: string;
}

function namesIn(
  contents: LoraContents,
  file: LoraFileFacts,
  all: readonly { readonly factor: FactorFacts; readonly module: number }[],
  spelling: LoraChoices['spelling'],
): Named[] {
  const found = all.map(({ factor, module }) =>
    spelling === 'source'
      ? inSpellingOf(contents, file, factor, module)
      : converted(contents, factor, module, spelling),
  );
  const missing = all.flatMap(({ factor }, i) => (found[i] === null ? [factor.key] : []));
  if (missing.length > 0) throw withoutName(file.name, missing, spelling);
  return found as Named[];
}

/**
 * What comes from another file takes this one's spelling where its name can be made from it; readers
 * of loose files take several in one, those of a folder with a configuration do not.
 */
function inSpellingOf(
  contents: LoraContents,
  file: LoraFileFacts,
  factor: FactorFacts,
  module: number,
): Named | null {
  const own = { spelling: spellingOf(factor.spelling), key: factor.key };
  if (file.factors.includes(factor)) return own;
  if (file.config !== null) return converted(contents, factor, module, file.config.kind);
  if (file.spelling !== 'kohya') return own;
  return converted(contents, factor, module, 'kohya') ?? own;
}

function converted(
  contents: LoraContents,
  factor: FactorFacts,
  module: number,
  to: Exclude<LoraChoices['spelling'], 'source'>,
): Named | null {
  const path = modulePath(factor.key);
  if (to === 'kohya') {
    const all = contents.files.flatMap(({ factors }) => factors);
    const key = kohyaKey(path, all);
    return key === null ? null : { spelling: spellingOf('kohya'), key };
  }
  const dotted = path.isDotted ? factor.key : dottedName(contents, module);
  if (dotted === null) return null;
  const known = modulePath(dotted);
  // MLX has matrices alone, and language models only.
  if (to === 'mlx') {
    const isMatrix = factor.inputShape.length === 1 && known.part === '';
    return isMatrix ? { spelling: spellingOf('mlx'), key: known.path } : null;
  }
  const key = known.part === '' ? PEFT_PREFIX + known.path : dotted;
  return { spelling: spellingOf('peft'), key };
}

/** The name that another open file has for the module, with its dots. */
function dottedName({ files }: LoraContents, module: number): string | null {
  for (const { factors, places } of files) {
    const key = factors[places[module]!]?.key;
    if (key !== undefined && modulePath(key).isDotted) return key;
  }
  return null;
}

/** Null where the name does not say which model the module is in: kohya's names begin with that. */
function kohyaKey({ part, path }: ModulePath, all: readonly FactorFacts[]): string | null {
  const joined = path.replaceAll('.', '_');
  const has = (begin: string): boolean => all.some(({ key }) => key.startsWith(begin));
  switch (part) {
    case '':
      return null;
    case 'denoiser':
      return `${has('lora_transformer_') ? 'lora_transformer_' : 'lora_unet_'}${joined}`;
    case 'text encoder': {
      const isFirst = has('lora_te1_') || has('lora_te2_') || has('text_encoder_2.');
      return `${isFirst ? 'lora_te1_' : 'lora_te_'}${joined}`;
    }
    case 'text encoder 2':
      return `lora_te2_${joined}`;
    case 'text encoder 3':
      return `lora_te3_${joined}`;
  }
}

function withoutName(
  file: string,
  keys: readonly string[],
  to: LoraChoices['spelling'],
): PeruError {
  const hints: Readonly<Record<LoraChoices['spelling'], string>> = {
    source:
      'The first file has a configuration that must name them all: put another file first, or leave it out.',
    kohya:
      'Its names begin with the model that a module is in, which these do not say: keep the spelling of the files.',
    peft: 'kohya’s names join their parts by “_”, which can not be undone without a table: add a file of the same model in PEFT’s spelling beside it, or keep the spelling of the files.',
    mlx: 'MLX reads matrices of language models by dotted names alone: keep the spelling of the files.',
  };
  return new PeruError(
    'unsupported',
    `${file} has modules that have no name in the spelling asked for: ${listNames(keys)}.`,
    hints[to],
  );
}
