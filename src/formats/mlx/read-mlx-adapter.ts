/**
 * An adapter of mlx-lm's (mlx_lm/tuner/lora.py) by what its tensors are. For x of a layer's inputs a
 * module adds scale * x lora_a lora_b, so `P.lora_a` is [in, rank] and `P.lora_b` [rank, out]; of a
 * table lora_a has a row for each token. Nothing is skipped: a tensor that means nothing here is an
 * error, for it would change the model.
 */
import { PeruError } from '@/core/errors';
import { incompleteSave } from '@/formats/checkpoint/incomplete-save';
import { isEmbedding } from '@/formats/checkpoint/token-tables';
import { listShape } from '@/formats/lora/check-rank';
import { type LoraAdapter, type LoraModule } from '@/formats/lora/lora-adapter';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { type MlxConfig } from './mlx-config';

/** The two files, opened. */
interface MlxAdapter {
  readonly name: string;
  readonly config: MlxConfig;
  readonly weights: CheckpointTensors;
}

interface Pair {
  a?: StoredTensor;
  b?: StoredTensor;
}

const FACTOR = /^(.+)\.lora_([ab])$/;
/** The norms of a DoRA (mlx_lm/tuner/dora.py). */
const NORM = /\.m$/;

const SAVE_AGAIN =
  'Download its folder again, or train it again: mlx-lm writes all tensors of an adapter at once.';
const FUSE = 'Fold it into its base with mlx_lm.fuse and add the whole model';

/**
 * @throws PeruError `mismatch` for adapters without modules, incomplete, or of other ranks than they
 *   say; `unsupported` for DoRA, stacked experts, tensors of unknown meaning and dtypes Peru does not
 *   read
 */
export function readMlxAdapter(adapter: MlxAdapter): LoraAdapter {
  const { name, config, weights } = adapter;
  const pairs = new Map<string, Pair>();
  for (const [key, tensor] of weights.tensors) {
    const [, path, side] = FACTOR.exec(key) ?? [];
    if (path === undefined) throw unknownTensor(tensor);
    checkTensor(name, tensor);
    const pair = pairs.get(path) ?? {};
    pair[side === 'a' ? 'a' : 'b'] = tensor;
    pairs.set(path, pair);
  }
  if (pairs.size === 0) throw emptyAdapter(name);
  const modules = [...pairs].map(([path, pair]) => moduleOf(adapter, path, pair));
  checkConfiguredRank(adapter, modules);
  return {
    name,
    modules,
    copies: new Map(),
    savedWhole: new Set(),
    wrappers: [],
    metadata: {
      baseModel: config.model,
      taskType: null,
      modelClass: null,
      modulesToSave: [],
      tiesWeights: false,
      isFanInFanOut: null,
    },
    weights,
  };
}

function moduleOf({ name, config }: MlxAdapter, path: string, { a, b }: Pair): LoraModule {
  if (a === undefined || b === undefined) throw halfMissing(name, path, (a ?? b)!);
  if (a.shape.length > 2 || b.shape.length > 2) throw stackedExperts(name, path, a, b);
  const [, rank] = a.shape;
  if (a.shape.length < 2 || b.shape.length < 2 || rank !== b.shape[0]) {
    throw new PeruError(
      'mismatch',
      `The factors of "${path}" in ${name} do not belong together: lora_a is ${listShape(a.shape)}, lora_b is ${listShape(b.shape)}.`,
      SAVE_AGAIN,
    );
  }
  // mlx-lm does not write which of its layers are tables; the names of some tell.
  const isTable = isEmbedding(`${path}.weight`) ? true : null;
  return {
    ...{ path, isEmbedding: isTable, isTransposed: true, a, b },
    ...{ rank: rank!, scale: config.scale },
  };
}

/**
 * All layers of a training have one rank. Peru writes those of several under the largest, which
 * mlx-lm reads as well: it takes factors as they come.
 */
function checkConfiguredRank(
  { name, config }: MlxAdapter,
  modules: readonly Pick<LoraModule, 'rank'>[],
): void {
  const most = modules.reduce((largest, { rank }) => Math.max(largest, rank), 0);
  if (config.rank === null || config.rank === most) return;
  throw new PeruError(
    'mismatch',
    `${name} has factors of rank ${most} in its file, but its configuration says ${config.rank} (lora_parameters.rank).`,
    'Keep the adapter_config.json and the adapters.safetensors of one training together.',
  );
}

function checkTensor(adapter: string, tensor: StoredTensor): void {
  if (tensor.elementCount === 0) throw incompleteSave(tensor);
  if (isFloatDtype(tensor.dtype)) return;
  throw new PeruError(
    'unsupported',
    `${adapter} stores "${tensor.name}" as ${tensor.dtype}; Peru reads adapters in F32, F16 and BF16.`,
    'Add the adapter as it was trained, before its factors were quantised.',
  );
}

function emptyAdapter(name: string): PeruError {
  return new PeruError(
    'mismatch',
    `${name} adapts nothing: its file holds no lora_a and lora_b.`,
    'Add the adapter as it was saved after training, with all its tensors.',
  );
}

function unknownTensor({ name, fileName }: StoredTensor): PeruError {
  const shown = `"${name.slice(0, 200)}"`;
  if (NORM.test(name)) {
    return new PeruError(
      'unsupported',
      `${fileName} holds ${shown}: it is a DoRA adapter, which also rescales each weight.`,
      `${FUSE}.`,
    );
  }
  return new PeruError(
    'unsupported',
    `${fileName} holds the tensor ${shown}, which is no part of a LoRA adapter of mlx-lm's.`,
    `${FUSE}.`,
  );
}

function halfMissing(adapter: string, path: string, { name }: StoredTensor): PeruError {
  const [missing, present] = name.endsWith('a') ? ['b', 'a'] : ['a', 'b'];
  return new PeruError(
    'mismatch',
    `${adapter} lacks the lora_${missing} of "${path}": only its lora_${present} is in the file.`,
    SAVE_AGAIN,
  );
}

function stackedExperts(
  adapter: string,
  path: string,
  a: StoredTensor,
  b: StoredTensor,
): PeruError {
  return new PeruError(
    'unsupported',
    `"${path}" of ${adapter} adapts stacked experts (lora_a ${listShape(a.shape)}, lora_b ${listShape(b.shape)}): its update is a product for each expert, which Peru does not merge.`,
    `${FUSE}; or train the adapter without this layer: leave it out of lora_parameters.keys.`,
  );
}
