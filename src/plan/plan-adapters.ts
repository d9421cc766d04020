/**
 * The preflight of adapters: from the headers of a base and of LoRA adapters, decides which of the
 * base's tensors each module changes and how, or refuses by name, before a factor is read.
 */
import {
  type AdapterPlan,
  type OpenAdapter,
  type PlannedAdapter,
} from '@/tensor/adapter/adapter-plan';
import { type AdapterKey, isSavedByName, parseAdapterKey, unknownKey } from '@/tensor/adapter/keys';
import { sortedNames } from '@/tensor/adapter/merged-products';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/tensor/errors';
import { matchNames } from './adapter-names';
import { orientedModules } from './adapter-orientation';
import { checkRank, type ModuleFactors, orientationOf, shown } from './adapter-shapes';
import { type PlannedCheckpoint, type PlannedTensor } from './checkpoint-facts';
import { listNames } from './list-names';

/**
 * Ranks may differ between adapters and between modules; whether the factors hold NaN is for the
 * engine to find.
 *
 * @throws PeruError `mismatch` for adapters without modules, of another base, incomplete, of other
 *   shapes or ranks; `unsupported` for DoRA, tensors of unknown meaning and dtypes Peru does not
 *   read
 */
export function planAdapters(group: {
  readonly base: PlannedCheckpoint;
  readonly adapters: readonly OpenAdapter[];
}): AdapterPlan {
  const adapters = group.adapters.map((adapter) => planAdapter(group.base, adapter));
  const weights = adapters.flatMap(({ modules }) => modules.map(({ weight }) => weight));
  const replaced = adapters.flatMap((adapter) => [...adapter.replaced.keys()]);
  return {
    adapters,
    adaptedWeights: sortedNames(new Set(weights)),
    replacedTensors: sortedNames(new Set(replaced)),
  };
}

function planAdapter(base: PlannedCheckpoint, adapter: OpenAdapter): PlannedAdapter {
  const { factors, copies } = readKeys(adapter);
  for (const one of factors) checkRank(one);
  const paths = [...factors.map(({ module }) => `${module}.weight`), ...copies.keys()];
  const baseTensor = (name: string): PlannedTensor => base.tensors.get(name)!;
  const { baseName } = matchNames({
    adapter: adapter.name,
    base: base.name,
    paths,
    baseNames: new Set(base.tensors.keys()),
    shapesFit: (named) =>
      factors.every((one) => {
        const name = named(`${one.module}.weight`);
        return orientationOf(one, { name, shape: baseTensor(name).shape }) !== null;
      }),
  });
  const targets = factors.map((one) => {
    const name = baseName(`${one.module}.weight`);
    checkBaseDtype(base, name);
    return { factors: one, weight: { name, shape: baseTensor(name).shape } };
  });
  const modules = orientedModules(adapter, base.name, targets);
  const replaced = replacedTensors(base, copies, baseName);
  const stored = [...factors.flatMap(({ a, b }) => [a, b]), ...copies.values()];
  return {
    name: adapter.name,
    modules,
    replaced,
    byteLength: adapter.weights.byteLength,
    parameterCount: stored.reduce((sum, { elementCount }) => sum + elementCount, 0),
  };
}

interface AdapterTensors {
  readonly factors: readonly ModuleFactors[];
  /** Trained copies by the name of their tensor in the model that was adapted. */
  readonly copies: ReadonlyMap<string, StoredTensor>;
}

interface Pair {
  readonly module: string;
  readonly embedding: boolean;
  a?: StoredTensor;
  b?: StoredTensor;
}

function readKeys(adapter: OpenAdapter): AdapterTensors {
  const { tensors } = adapter.weights;
  const pairs = new Map<string, Pair>();
  const copies = new Map<string, StoredTensor>();
  const names = new Set<string>();
  for (const [key, tensor] of tensors) {
    const parsed = parseAdapterKey(key, tensor.fileName);
    if (parsed.kind === 'original') continue;
    checkDtype(adapter, tensor);
    if (parsed.kind === 'copy') {
      addCopy(copies, adapter, parsed, tensor);
      continue;
    }
    if (parsed.adapter !== null) names.add(parsed.adapter);
    if (names.size > 1) throw severalAdapters(adapter, [...names]);
    const { module, embedding } = parsed;
    const pair = pairs.get(module) ?? { module, embedding };
    const side = parsed.side === 'A' ? 'a' : 'b';
    if (pair[side] !== undefined || pair.embedding !== embedding) {
      throw standsTwice(adapter, module);
    }
    pair[side] = tensor;
    pairs.set(module, pair);
  }
  if (pairs.size === 0) throw emptyAdapter(adapter);
  return { factors: [...pairs.values()].map((pair) => moduleFactors(adapter, pair)), copies };
}

/**
 * With `bias="all"`, PEFT writes the bias of a saved module a second time behind
 * `modules_to_save`, and never reads that: the plain name counts.
 */
function addCopy(
  copies: Map<string, StoredTensor>,
  adapter: OpenAdapter,
  { path, wrapper }: Extract<AdapterKey, { kind: 'copy' }>,
  tensor: StoredTensor,
): void {
  if (wrapper === null && !isTrainedCopy(adapter, path)) {
    throw unknownKey(tensor.name, tensor.fileName);
  }
  const other = copies.get(path);
  const isSecond = wrapper === 'modules_to_save' && other !== undefined;
  if (isSecond) return;
  const replacesSecond = wrapper === null && other?.name.includes('.modules_to_save.') === true;
  if (other !== undefined && !replacesSecond) throw standsTwice(adapter, path);
  copies.set(path, tensor);
}

function moduleFactors(adapter: OpenAdapter, { module, embedding, a, b }: Pair): ModuleFactors {
  if (a === undefined || b === undefined) throw halfMissing(adapter, { module, embedding }, a);
  if (!adapter.config.isTarget(module)) throw notATarget(adapter, module);
  const { rank, scale } = adapter.config.settingsOf(module);
  return { adapter: adapter.name, module, embedding, a, b, rank, scale };
}

/** Whether the configuration, or PEFT's own rules, explain a whole tensor in the file. */
function isTrainedCopy({ config }: OpenAdapter, path: string): boolean {
  if (isSavedByName(path)) return true;
  const parts = path.split('.');
  return parts.some((_, i) => {
    const outer = parts.slice(0, i).join('.');
    return i > 0 && config.modulesToSave.some((name) => name !== '' && outer.endsWith(name));
  });
}

function replacedTensors(
  base: PlannedCheckpoint,
  copies: ReadonlyMap<string, StoredTensor>,
  baseName: (path: string) => string,
): ReadonlyMap<string, StoredTensor> {
  const replaced = new Map<string, StoredTensor>();
  for (const [path, copy] of copies) {
    const name = baseName(path);
    checkBaseDtype(base, name);
    const { shape } = base.tensors.get(name)!;
    if (String(shape) !== String(copy.shape)) {
      throw new PeruError(
        'mismatch',
        `${copy.fileName} brings its own "${path}" ${shown(copy.shape)}, but ${base.name} has "${name}" ${shown(shape)}.`,
        'Add the base that the adapter was trained on: another vocabulary or head is another model.',
      );
    }
    replaced.set(name, { ...copy, name });
  }
  return replaced;
}

const SAVE_AGAIN =
  'Save the adapter again with save_pretrained in PEFT, or download its folder again.';

function emptyAdapter({ name }: OpenAdapter): PeruError {
  return new PeruError(
    'mismatch',
    `${name} adapts nothing: its file holds no lora_A and lora_B.`,
    'Add the adapter as it was saved after training, with all its tensors.',
  );
}

function halfMissing(
  { name }: OpenAdapter,
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

function standsTwice({ name }: OpenAdapter, what: string): PeruError {
  return new PeruError('mismatch', `${name} holds two adaptations of "${what}".`, SAVE_AGAIN);
}

function severalAdapters({ name }: OpenAdapter, names: readonly string[]): PeruError {
  return new PeruError(
    'unsupported',
    `${name} holds several adapters in one file: ${listNames(names)}.`,
    'Save each adapter into a folder of its own: save_pretrained(folder, selected_adapters=[NAME]).',
  );
}

function notATarget({ name, config }: OpenAdapter, module: string): PeruError {
  return new PeruError(
    'mismatch',
    `${name} has factors for "${module}", which ${config.label} does not target (target_modules, exclude_modules, layers_to_transform): PEFT would leave them out.`,
    'Keep the adapter_config.json and the adapter_model.safetensors of one save together.',
  );
}

function checkDtype({ name }: OpenAdapter, tensor: StoredTensor): void {
  if (isFloatDtype(tensor.dtype)) return;
  throw new PeruError(
    'unsupported',
    `${name} stores "${tensor.name}" as ${tensor.dtype}; Peru reads adapters in F32, F16 and BF16.`,
    'Save the adapter in one of these, for example after model.to(torch.float32).',
  );
}

function checkBaseDtype(base: PlannedCheckpoint, name: string): void {
  const { dtype } = base.tensors.get(name)!;
  if (isFloatDtype(dtype)) return;
  throw new PeruError(
    'unsupported',
    `${base.name} stores "${name}", which an adapter changes, as ${dtype}; Peru adapts F32, F16 and BF16.`,
    'Add the base as it was before quantisation, in one of these.',
  );
}
