/**
 * Reads a configuration of mergekit as far as Peru does the same. Methods that it does not have are
 * refused by name; settings that it can not follow are carried out without them, and named.
 */
import { type MergekitMethod } from '@/methods/method';
import { MERGE_PARAMETERS } from '@/methods/parameters';
import { type MergeMethod } from '@/methods/registry';
import { type FloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { MERGEKIT_DTYPES } from './mergekit';
import { isSameModel, type MergekitModel, mergekitModels, weightsOf } from './mergekit-models';
import { parseYamlMapping, type YamlMapping } from './yaml-mapping';

export interface MergekitMerge {
  /** `owner/name` or `owner/name@revision`, or a path; null where the file names no base. */
  readonly base: string | null;
  /** In the file's order, without the base. */
  readonly tasks: readonly { readonly repo: string; readonly weight: number }[];
  readonly mergeMethod: MergeMethod;
  /** One coefficient for every task; null for the simple average. */
  readonly lambda: number | null;
  /** Dtype of the merged tensors; null where the file does not choose one Peru writes. */
  readonly dtype: FloatDtype | null;
  /** What of the file is not followed, a sentence each, for people. */
  readonly notSaid: readonly string[];
}

const LAMBDA = MERGE_PARAMETERS.lambda.bounds;

const READ_KEYS = ['merge_method', 'base_model', 'models', 'parameters', 'dtype', 'out_dtype'];
/** Keys that do not change what this page does. */
const HARMLESS_KEYS = ['name'];
const GLOBAL_PARAMETERS = ['weight', 'normalize', 'lambda'];
/** Parameters that mergekit itself ignores for these methods. */
const IDLE_PARAMETERS = ['int8_mask', 'rescale', 'density'];

/**
 * @param file names it in messages
 * @throws PeruError `parse` when it is no configuration of mergekit's, `unsupported` when its method
 *   or its way of naming models (slices, modules, adapters) is none of Peru's
 */
export async function readMergekit(text: string, file = 'mergekit.yml'): Promise<MergekitMerge> {
  const config = await parseYamlMapping(text, file);
  const method = config['merge_method'];
  if (typeof method !== 'string') {
    throw new PeruError(
      'parse',
      `${file} is no configuration of mergekit's: it has no "merge_method".`,
      'Drop a file that mergekit-yaml runs, or the checkpoints themselves.',
    );
  }
  refuseSlices(config, file);
  const models = mergekitModels(config, file);
  const read = { config, models, file, parameters: mapping(config['parameters']) };
  const merge = merged(method, read);
  const { dtype, said } = dtypes(config);
  return { ...merge, dtype, notSaid: [...merge.notSaid, ...said, ...otherSettings(read)] };
}

interface Read {
  readonly config: YamlMapping;
  readonly parameters: YamlMapping;
  readonly models: readonly MergekitModel[];
  readonly file: string;
}

type Merged = Omit<MergekitMerge, 'dtype'>;

const READERS: Readonly<Record<MergekitMethod, (read: Read) => Merged>> = {
  task_arithmetic: taskArithmetic,
  linear,
};

function merged(method: string, read: Read): Merged {
  const reader = Object.entries(READERS).find(([name]) => name === method)?.[1];
  if (reader !== undefined) return reader(read);
  throw new PeruError(
    'unsupported',
    `${read.file} asks for mergekit's method ${JSON.stringify(method)}; Peru has ${Object.keys(READERS).join(' and ')}.`,
    'Change its merge_method, or merge with mergekit and open the result here.',
  );
}

/** base + lambda * sum(weight * (model - base)), divided by the sum of weights where normalised. */
function taskArithmetic(read: Read): Merged {
  const { parameters, file } = read;
  const base = baseOf(read);
  if (base === null) {
    throw new PeruError(
      'parse',
      `${file} names no base_model, which task_arithmetic needs.`,
      'Add base_model to the file.',
    );
  }
  const { tasks, said } = weightsOf(othersThan(base, read), file);
  const total = tasks.reduce((sum, { weight }) => sum + weight, 0);
  const divisor = isTrue(parameters['normalize'], false) && Math.abs(total) >= 1e-8 ? total : 1;
  const factor = numberOf(parameters['lambda'], 1);
  const { lambda, said: bounded } = inBounds((total / tasks.length / divisor) * factor);
  return {
    base,
    tasks,
    mergeMethod: 'task-arithmetic',
    lambda,
    notSaid: [...said, ...bounded],
  };
}

/** sum(weight * model), divided by the sum of weights unless told otherwise. */
function linear(read: Read): Merged {
  const { parameters, models, file } = read;
  const base = baseOf(read);
  const { tasks, said } = weightsOf(othersThan(base, read), file);
  const notSaid = [...said];
  const total = tasks.reduce((sum, { weight }) => sum + weight, 0);
  // mergekit adds a base that is not listed to the models; with no weight of its own it stops there.
  const own = models.find(({ name }) => isSameModel(name, base));
  const baseWeight = base === null ? 0 : numberOf(own?.weight ?? parameters['weight'], 0);
  if (!isTrue(parameters['normalize'], true) && Math.abs(total + baseWeight - 1) > 1e-6) {
    notSaid.push(
      `Its weights sum to ${rounded(total + baseWeight)} and are not normalised; Peru's sum to 1.`,
    );
  }
  if (base === null) {
    notSaid.push(
      'It names no base, which Peru needs: add the model that all were fine-tuned from, or the one taken as base is left out of the average.',
    );
  }
  if (baseWeight === 0) {
    return { base, tasks, mergeMethod: 'simple-average', lambda: null, notSaid };
  }
  // The mean with the base among the models: base + sum of w / (all w) * (model - base).
  const { lambda, said: bounded } = inBounds(total / tasks.length / (total + baseWeight));
  return { base, tasks, mergeMethod: 'task-arithmetic', lambda, notSaid: [...notSaid, ...bounded] };
}

function refuseSlices(config: YamlMapping, file: string): void {
  const found = ['slices', 'modules'].find((key) => config[key] != null);
  if (found === undefined) return;
  throw new PeruError(
    'unsupported',
    `${file} puts layers together from "${found}"; Peru merges whole models.`,
    'List whole models under "models", or merge with mergekit and open the result here.',
  );
}

function baseOf({ config, file }: Read): string | null {
  const [base] =
    config['base_model'] == null
      ? []
      : mergekitModels({ models: [{ model: config['base_model'] }] }, file);
  return base?.name ?? null;
}

function othersThan(base: string | null, { models, parameters }: Read): MergekitModel[] {
  return models
    .filter(({ name }) => !isSameModel(name, base))
    .map((model) => ({ ...model, weight: model.weight ?? parameters['weight'] }));
}

/** Compute dtype and the dtype written; Peru computes in float32 whatever it writes. */
function dtypes(config: YamlMapping): {
  readonly dtype: FloatDtype | null;
  readonly said: string[];
} {
  const said: string[] = [];
  const compute = nameOf(config['dtype']);
  const written = nameOf(config['out_dtype']) ?? compute;
  if (compute !== null && compute !== 'float32') {
    said.push(`It computes in ${compute}; Peru computes in float32 and rounds once.`);
  }
  const found = Object.entries(MERGEKIT_DTYPES).find(([, name]) => name === written);
  if (written !== null && found === undefined) {
    said.push(`It writes ${written}; Peru writes float32, float16 or bfloat16.`);
  }
  return { dtype: (found?.[0] ?? null) as FloatDtype | null, said };
}

/** Settings that were not looked at, by name. */
function otherSettings({ config, parameters, models }: Read): string[] {
  const known = [...READ_KEYS, ...HARMLESS_KEYS];
  const keys = Object.keys(config).filter((key) => {
    if (key === 'tokenizer_source' && config[key] === 'base') return false;
    return config[key] != null && !known.includes(key);
  });
  const idle = [...GLOBAL_PARAMETERS, ...IDLE_PARAMETERS];
  const globals = Object.keys(parameters).filter((key) => !idle.includes(key));
  const perModel = models.flatMap(({ parameters: own }) =>
    Object.keys(own).filter((key) => key !== 'weight' && !IDLE_PARAMETERS.includes(key)),
  );
  return [
    ...keys.map((key) => `Its setting ${JSON.stringify(key)} is not followed.`),
    ...[...new Set([...globals, ...perModel])].map(
      (key) => `Its parameter ${JSON.stringify(key)} is not followed.`,
    ),
  ];
}

function inBounds(value: number): { readonly lambda: number; readonly said: string[] } {
  const lambda = Math.min(LAMBDA.max, Math.max(LAMBDA.min, rounded(value)));
  if (Math.abs(lambda - value) < 1e-9) return { lambda, said: [] };
  return {
    lambda,
    said: [
      `Its coefficient is ${rounded(value)}; Peru takes ${lambda}, of ${LAMBDA.min} to ${LAMBDA.max}.`,
    ],
  };
}

/** Without what binary fractions leave: 0.1 * 3 is 0.3. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

function mapping(value: unknown): YamlMapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as YamlMapping)
    : {};
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' ? value.replace(/^torch\./, '') : null;
}

function numberOf(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}

function isTrue(value: unknown, otherwise: boolean): boolean {
  return typeof value === 'boolean' ? value : otherwise;
}
