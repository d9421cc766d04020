/** An adapter of PEFT's by what its tensors are: factors in pairs, and tensors it brings whole. */
import {
  type AdapterKey,
  isInSavedModule,
  isSavedByName,
  parseAdapterKey,
  unknownKey,
  wrapperParts,
} from './keys';
import { checkRank } from '@/formats/lora/check-rank';
import { type LoraAdapter, type LoraModule } from '@/formats/lora/lora-adapter';
import { SAVE_AGAIN, standsTwice } from '@/formats/lora/stands-twice';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type AdapterConfig } from './config';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { incompleteSave } from '@/formats/checkpoint/incomplete-save';
import { listNames } from '@/core/list-names';
import { isTokenHead } from '@/formats/checkpoint/token-tables';

/** The two files, opened. */
interface PeftAdapter {
  readonly name: string;
  readonly config: AdapterConfig;
  readonly weights: CheckpointTensors;
}

interface Pair {
  readonly module: string;
  readonly embedding: boolean;
  a?: StoredTensor;
  b?: StoredTensor;
}

type CopyKey = Extract<AdapterKey, { kind: 'copy' }>;
type FactorKey = Extract<AdapterKey, { kind: 'factor' }>;

/**
 * @throws PeruError `mismatch` for adapters without modules, incomplete, of other ranks than they
 *   say; `unsupported` for DoRA, tensors of unknown meaning and dtypes Peru does not read
 */
export function readPeftAdapter(adapter: PeftAdapter): LoraAdapter {
  const pairs = new Map<string, Pair>();
  const names = new Set<string>();
  const whole: (readonly [CopyKey, StoredTensor])[] = [];
  const wrappers = new Set<string>();
  for (const [key, tensor] of adapter.weights.tensors) {
    const parsed = parseAdapterKey(key, tensor.fileName);
    if (parsed.kind === 'original') continue;
    checkDtype(adapter, tensor);
    for (const part of wrapperParts(key)) wrappers.add(part);
    if (parsed.kind === 'copy') {
      whole.push([parsed, tensor]);
      continue;
    }
    if (tensor.elementCount === 0) throw incompleteSave(tensor);
    if (parsed.adapter !== null) names.add(parsed.adapter);
    if (names.size > 1) throw severalAdapters(adapter, [...names]);
    addFactor(pairs, adapter, parsed, tensor);
  }
  if (pairs.size === 0) throw emptyAdapter(adapter);
  const modules = [...pairs.values()].map((pair) => moduleOf(adapter, pair));
  const copies = new Map<string, StoredTensor>();
  for (const [key, tensor] of whole) addCopy(copies, adapter, withoutName(key, names), tensor);
  const { name, config, weights } = adapter;
  return {
    name,
    modules,
    copies,
    savedWhole: savedWhole(copies, config),
    wrappers: [...wrappers],
    metadata: {
      baseModel: config.baseModel,
      taskType: config.taskType,
      modelClass: config.modelClass,
      modulesToSave: config.modulesToSave,
      tiesWeights: config.tiesWeights,
      isFanInFanOut: config.fanInFanOut,
    },
    weights,
  };
}

/** Paths that PEFT was told to save, or says in the tensor's name that it was. */
function savedWhole(
  copies: ReadonlyMap<string, StoredTensor>,
  { modulesToSave }: AdapterConfig,
): ReadonlySet<string> {
  const isSaved = ([path, { name }]: readonly [string, StoredTensor]): boolean =>
    name.includes('modules_to_save.') || modulesToSave.some((one) => isInSavedModule(path, one));
  return new Set([...copies].filter(isSaved).map(([path]) => path));
}

function addFactor(
  pairs: Map<string, Pair>,
  adapter: PeftAdapter,
  { module, embedding, side: of }: FactorKey,
  tensor: StoredTensor,
): void {
  const pair = pairs.get(module) ?? { module, embedding };
  const side = of === 'A' ? 'a' : 'b';
  if (pair[side] !== undefined || pair.embedding !== embedding)
    throw standsTwice(adapter.name, module);
  pair[side] = tensor;
  pairs.set(module, pair);
}

/** Behind `modules_to_save` stands the name that the factors have, or the first part inside. */
function withoutName(key: CopyKey, names: ReadonlySet<string>): CopyKey {
  const { named } = key;
  return named !== undefined && names.has(named.adapter) ? { ...key, path: named.path } : key;
}

/**
 * With `bias="all"`, PEFT writes the bias of a saved module a second time behind
 * `modules_to_save`, and never reads that: the plain name counts.
 */
function addCopy(
  copies: Map<string, StoredTensor>,
  adapter: PeftAdapter,
  { path, wrapper }: CopyKey,
  tensor: StoredTensor,
): void {
  if (wrapper === null && !isTrainedCopy(adapter, path)) {
    throw unknownKey(tensor.name, tensor.fileName);
  }
  const other = copies.get(path);
  const isSecond = wrapper === 'modules_to_save' && other !== undefined;
  if (isSecond) return;
  const replacesSecond = wrapper === null && other?.name.includes('.modules_to_save.') === true;
  if (other !== undefined && !replacesSecond) throw standsTwice(adapter.name, path);
  copies.set(path, tensor);
}

function moduleOf(adapter: PeftAdapter, { module, embedding, a, b }: Pair): LoraModule {
  if (a === undefined || b === undefined) throw halfMissing(adapter, { module, embedding }, a);
  if (adapter.config.tiesWeights && isTokenHead(`${module}.weight`))
    throw tiedFactors(adapter, module);
  if (!adapter.config.isTarget(module)) throw notATarget(adapter, module);
  const { rank, scale } = adapter.config.settingsOf(module);
  const made = { path: module, isEmbedding: embedding, isTransposed: false, a, b, rank, scale };
  checkRank(adapter.name, made);
  return made;
}

/** Whether the configuration, or PEFT's own rules, explain a whole tensor in the file. */
function isTrainedCopy({ config }: PeftAdapter, path: string): boolean {
  return isSavedByName(path) || config.modulesToSave.some((name) => isInSavedModule(path, name));
}

function emptyAdapter({ name }: PeftAdapter): PeruError {
  return new PeruError(
    'mismatch',
    `${name} adapts nothing: its file holds no lora_A and lora_B.`,
    'Add the adapter as it was saved after training, with all its tensors.',
  );
}

function halfMissing(
  { name }: PeftAdapter,
  { module, embedding }: Pick<Pair, 'module' | 'embedding'>,
  a: StoredTensor | undefined,
): PeruError {
  const kind = embedding ? 'lora_embedding_' : 'lora_';
  const [missing, present] = a === undefined ? ['A', 'B'] : ['B', 'A'];
  return new PeruError(
    'mismatch',
    `${name} lacks the ${kind}${missing} of "${module}": only its ${kind}${present} is in the file.`,
    SAVE_AGAIN,
  );
}

function severalAdapters({ name }: PeftAdapter, names: readonly string[]): PeruError {
  return new PeruError(
    'unsupported',
    `${name} holds several adapters in one file: ${listNames(names)}.`,
    'Save each adapter into a folder of its own: save_pretrained(folder, selected_adapters=[NAME]).',
  );
}

function tiedFactors({ name, config }: PeftAdapter, module: string): PeruError {
  return new PeruError(
    'unsupported',
    `${config.label} sets ensure_weight_tying, and ${name} has factors for "${module}": it adapts a head and its embedding as one table, which Peru does not read.`,
    'Merge the adapter into its base with merge_and_unload in PEFT and add the full model, or train it without these layers.',
  );
}

function notATarget({ name, config }: PeftAdapter, module: string): PeruError {
  return new PeruError(
    'mismatch',
    `${name} has factors for "${module}", which ${config.label} does not target (target_modules, exclude_modules, layers_to_transform): PEFT would leave them out.`,
    'Keep the adapter_config.json and the adapter_model.safetensors of one save together.',
  );
}

function checkDtype({ name }: PeftAdapter, tensor: StoredTensor): void {
  if (isFloatDtype(tensor.dtype)) return;
  throw new PeruError(
    'unsupported',
    `${name} stores "${tensor.name}" as ${tensor.dtype}; Peru reads adapters in F32, F16 and BF16.`,
    'Save the adapter in one of these, for example after model.to(torch.float32).',
  );
}
