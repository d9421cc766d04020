/** What the modules of a written file are called, in the spelling asked for. */
import { PeruError } from '@/core/errors';
import { listNames } from '@/core/list-names';
import { isEmbedding, mayBeTable } from '@/formats/checkpoint/token-tables';
import { type ModulePath, modulePath } from '@/formats/lora-file/module-path';
import { type Spelling, SPELLINGS } from '@/formats/lora-file/spelling';
import { MODEL_PREFIX } from '@/formats/peft/keys';
import { type LoraChoices } from '@/recipe/lora-choices';
import { type FactorFacts, type LoraContents, type LoraFileFacts } from './lora-contents';

export function spellingOf(id: FactorFacts['spelling']): Spelling {
  return SPELLINGS.find((one) => one.id === id)!;
}

/** Whether all modules are named as in a folder of PEFT's, which has a configuration. */
export function isPeftFolder(keys: readonly string[]): boolean {
  return keys.every((key) => key.startsWith(MODEL_PREFIX));
}

interface Named {
  readonly spelling: Spelling;
  readonly key: string;
}

/**
 * @throws PeruError `unsupported` where a spelling has no name for a module, or where nothing tells
 *   which of two it is
 */
export function namesIn(
  contents: LoraContents,
  file: LoraFileFacts,
  all: readonly { readonly factor: FactorFacts; readonly module: number }[],
  spelling: LoraChoices['spelling'],
): Named[] {
  const found = all.map(({ factor, module }) =>
    spelling === 'source'
      ? inSpellingOf(contents, file, factor, module)
      : converted(contents, file, factor, { module, to: spelling }),
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
  const to = file.config?.kind ?? (file.spelling === 'kohya' ? 'kohya' : 'peft');
  const found = converted(contents, file, factor, { module, to });
  return file.config === null ? (found ?? own) : found;
}

interface Conversion {
  /** Among the modules of the group. */
  readonly module: number;
  readonly to: Exclude<LoraChoices['spelling'], 'source'>;
}

/** @param file that is written: its own beginnings of names are kept to */
function converted(
  contents: LoraContents,
  file: LoraFileFacts,
  factor: FactorFacts,
  { module, to }: Conversion,
): Named | null {
  if (to === 'kohya') {
    if (factor.spelling === 'kohya') return { spelling: spellingOf('kohya'), key: factor.key };
    const key = isTable(factor) ? null : kohyaKey(modulePath(factor.key), file, contents);
    return key === null ? null : { spelling: spellingOf('kohya'), key };
  }
  const known = dottedName(contents, factor, module);
  if (known === null) return null;
  // MLX has matrices alone, tables among them, and language models only.
  if (to === 'mlx') {
    const isMatrix = factor.inputShape.length === 1 && known.part === '';
    return isMatrix ? { spelling: spellingOf('mlx'), key: known.path } : null;
  }
  // Of a pipeline, names begin with its models; of one model, PEFT's folder wraps them.
  const isWrapped = known.part === '' || file.config?.kind === 'peft';
  const key = isWrapped ? MODEL_PREFIX + known.name : known.name;
  if (isDoubtful(factor)) throw doubtfulTable(file.name, factor.key);
  return { spelling: spellingOf(isTable(factor) ? 'peft-embedding' : 'peft'), key };
}

/**
 * Whether a module is a table that tokens are looked up in, whose factors PEFT calls otherwise, as
 * the product of both has the table's rows for its inputs. MLX calls them alike: there names tell.
 */
function isTable({ spelling, key }: FactorFacts): boolean {
  return spelling === 'peft-embedding' || (spelling === 'mlx' && isEmbedding(`${key}.weight`));
}

function isDoubtful(factor: FactorFacts): boolean {
  return factor.spelling === 'mlx' && !isTable(factor) && mayBeTable(`${factor.key}.weight`);
}

function doubtfulTable(file: string, key: string): PeruError {
  return new PeruError(
    'unsupported',
    `"${key}" of ${file} may be a table or a layer: MLX writes both alike, PEFT does not.`,
    'Add the adapter with its base, which tells, and export it from there; or keep the spelling of the files.',
  );
}

/** The module's name with its dots, which another open file may have; null where none has. */
function dottedName(
  { files }: LoraContents,
  factor: FactorFacts,
  module: number,
): ModulePath | null {
  const own = modulePath(factor.key);
  if (!own.isJoined) return own;
  for (const { factors, places } of files) {
    const key = factors[places[module]!]?.key;
    const path = key === undefined ? own : modulePath(key);
    if (!path.isJoined) return path;
  }
  return null;
}

/** Null where the name does not say which model the module is in: kohya's names begin with that. */
function kohyaKey(
  { part, path }: ModulePath,
  file: LoraFileFacts,
  { files }: LoraContents,
): string | null {
  const joined = path.replaceAll('.', '_');
  // A file of kohya's keeps to its own beginnings; others follow what is open beside them.
  const all = (file.spelling === 'kohya' ? [file] : files).flatMap(({ factors }) => factors);
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

/** Biases of up factors, which a spelling has no name for. */
export function withoutBiasName(file: string, modules: readonly Named[]): PeruError {
  const [{ spelling }] = modules as [Named];
  return new PeruError(
    'unsupported',
    `${file} has biases beside its factors that have no name as ${spelling.title} has them: ${listNames(modules.map(({ key }) => key))}.`,
    'Keep the spelling of the files, or have other tensors left out: then the biases are, too.',
  );
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
