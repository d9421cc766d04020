/** The models that a configuration of mergekit lists, and their weights. */
import { PeruError } from '@/core/errors';
import { type YamlMapping } from './yaml-mapping';

export interface MergekitModel {
  /** `path` or `path@revision`. */
  readonly name: string;
  /** As written: a number, a list over layers, a choice by tensor; undefined where absent. */
  readonly weight: unknown;
  /** All of the model's own parameters. */
  readonly parameters: YamlMapping;
}

export interface WeightedTask {
  readonly repo: string;
  readonly weight: number;
}

/** Most models read; mergekit's users merge a handful. */
const MAX_MODELS = 1000;

/**
 * @throws PeruError `parse` where the list is missing or an entry names no model, `unsupported`
 *   where one is a model with an adapter on it
 */
export function mergekitModels(config: YamlMapping, file: string): MergekitModel[] {
  const { models } = config;
  if (!Array.isArray(models) || models.length === 0 || models.length > MAX_MODELS) {
    throw new PeruError(
      'parse',
      `${file} lists no "models", or more than ${MAX_MODELS}.`,
      'Name each model to merge under "models".',
    );
  }
  return models.map((entry: unknown) => {
    const fields = isMapping(entry) ? entry : {};
    const parameters = isMapping(fields['parameters']) ? fields['parameters'] : {};
    return { name: modelName(fields['model'], file), weight: parameters['weight'], parameters };
  });
}

/** Whether two names mean one model: `o/m`, `o/m/` and `o/m@main` do. */
export function isSameModel(one: string, other: string | null): boolean {
  return other !== null && meaningOf(one) === meaningOf(other);
}

/**
 * One number a model, the mean where the file says more than one number.
 *
 * @returns what was lost, a sentence each
 * @throws PeruError `parse` where a model has no weight
 */
export function weightsOf(
  models: readonly MergekitModel[],
  file: string,
): { readonly tasks: WeightedTask[]; readonly said: string[] } {
  const said: string[] = [];
  const tasks = models.map(({ name, weight }) => {
    const told = weightNumber(weight);
    if (told === null) {
      throw new PeruError(
        'parse',
        `${file} gives ${name} no weight that Peru can read.`,
        'Give every model a number as weight.',
      );
    }
    if (told.varies)
      said.push(`The weight of ${name} differs by layer or tensor; Peru takes ${told.weight}.`);
    return { repo: name, weight: told.weight };
  });
  if (tasks.length === 0) {
    throw new PeruError(
      'parse',
      `${file} lists no model beside its base.`,
      'Name each fine-tuned model under "models".',
    );
  }
  const weights = [...new Set(tasks.map(({ weight }) => weight))];
  if (weights.length > 1) {
    said.push(`Its weights differ (${weights.join(', ')}); Peru gives every model their mean.`);
  }
  return { tasks, said };
}

/** Without what changes nothing: slashes at the end, `./`, the branch that is taken anyway. */
function meaningOf(name: string): string {
  const [path = '', ...revision] = name.trim().split('@');
  const place = path.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
  const at = revision.join('@');
  return at === '' || at === 'main' ? place : `${place}@${at}`;
}

function weightNumber(
  value: unknown,
): { readonly weight: number; readonly varies: boolean } | null {
  const number = finite(value);
  if (number !== null) return { weight: number, varies: false };
  if (isMapping(value)) return varying([value['value']]);
  if (!Array.isArray(value)) return null;
  // A choice by tensor name ends with the value of all other tensors; a list runs over the layers.
  const rest: unknown = value.findLast(
    (item) => isMapping(item) && (item['filter'] ?? '*') === '*',
  );
  if (isMapping(rest)) return varying([rest['value']]);
  return varying(value);
}

function varying(values: readonly unknown[]): { weight: number; varies: true } | null {
  const numbers = values.flat().map(finite);
  if (numbers.length === 0 || numbers.includes(null)) return null;
  const sum = numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
  return { weight: Number((sum / numbers.length).toPrecision(12)), varies: true };
}

function modelName(value: unknown, file: string): string {
  if (typeof value === 'string' && value.trim() !== '') {
    const [path = '', adapter] = value.split('+');
    if (adapter !== undefined) throw withAdapter(path, adapter, file);
    return path;
  }
  if (isMapping(value)) {
    const { model, lora, path, revision } = value;
    if (lora != null) throw withAdapter(JSON.stringify(model), JSON.stringify(lora), file);
    if (model !== undefined) return modelName(model, file);
    if (typeof path === 'string')
      return typeof revision === 'string' ? `${path}@${revision}` : path;
  }
  throw new PeruError(
    'parse',
    `${file} has an entry that names no model.`,
    'Name it as owner/name, or owner/name@revision.',
  );
}

function withAdapter(model: string, adapter: string, file: string): PeruError {
  return new PeruError(
    'unsupported',
    `${file} puts the adapter ${adapter} on ${model} before merging; Peru merges full models, or adapters of one base.`,
    'Open the base and the adapters themselves as a group of adapters.',
  );
}

function finite(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function isMapping(value: unknown): value is YamlMapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
