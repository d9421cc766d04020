/** Whether the configurations describe one model: shapes tell much, but not how many heads. */
import { type ModelFacts } from '@/plan/model-facts';
import { type Finding } from '@/plan/preflight';
import { finding, groupedBy, listed } from './finding';

type Fields = Readonly<Record<string, unknown>>;

/** What the same weights would be computed with; by the names different models have for it. */
const COMPARED: readonly string[] = [
  'hidden_size',
  'd_model',
  'n_embd',
  'num_attention_heads',
  'num_heads',
  'n_head',
  'num_key_value_heads',
  'num_hidden_layers',
  'num_layers',
  'n_layer',
  'hidden_act',
  'activation_function',
  'feed_forward_proj',
  'layer_norm_eps',
  'layer_norm_epsilon',
  'rms_norm_eps',
  'rope_theta',
  'patch_size',
  'image_size',
];
const MAX_VALUE_CHARACTERS = 40;

/** @param models the base, then the tasks */
export function architectureFindings(models: readonly ModelFacts[]): Finding[] {
  const broken = models.filter(({ brokenConfig }) => typeof brokenConfig === 'string');
  const whole = models.filter((model) => !broken.includes(model));
  if (broken.length === 0) return compared(models);
  const rest = broken.includes(models[0]!) ? [] : compared(whole);
  // That the others agree says nothing of those that can not be read.
  return [...broken.map(brokenConfigFinding), ...rest.filter(({ level }) => level !== 'ok')];
}

function compared(models: readonly ModelFacts[]): Finding[] {
  const [base, ...tasks] = models;
  if (base === undefined) return [];
  const without = models.filter(({ config }) => config === null);
  if (base.config === null) return [unknownConfig(without)];
  const baseParts = partsOf(base.config);
  const differences = tasks.flatMap(({ name, config }) =>
    config === null ? [] : [{ name, told: differencesOf(baseParts, partsOf(config)) }],
  );
  const strange = differences.filter(({ told }) => told.length > 0);
  const warnings = groupedBy(strange, ({ told }) => JSON.stringify(told)).map((group) =>
    finding({
      level: 'warning',
      topic: 'architecture',
      title: `The configuration of ${listed(group.map(({ name }) => name))} does not agree with the base’s.`,
      detail: `${group[0].told.join('; ')}. The tensors fit, but may not mean the same: look whether the base is the right one.`,
    }),
  );
  return [
    ...warnings,
    ...(without.length > 0 ? [unknownConfig(without)] : []),
    ...(strange.length === 0 && without.length === 0 ? [agree(base.config)] : []),
  ];
}

/** The configuration and those of its parts, by the type of model each describes. */
function partsOf(config: Fields): ReadonlyMap<string, Fields> {
  const parts = new Map<string, Fields>();
  for (const key of ['text_config', 'vision_config', 'audio_config']) {
    const part = config[key];
    if (typeof part !== 'object' || part === null || Array.isArray(part)) continue;
    const fields = part as Fields;
    // Old configurations of CLIP do not repeat the type of a part.
    const type = textOf(fields['model_type']) ?? partType(config, key);
    parts.set(type, fields);
  }
  parts.set(textOf(config['model_type']) ?? '', config);
  return parts;
}

/** `clip` and `vision_config` make `clip_vision_model`, as transformers names it. */
function partType(config: Fields, key: string): string {
  return `${textOf(config['model_type']) ?? ''}_${key.replace('_config', '_model')}`;
}

function differencesOf(
  base: ReadonlyMap<string, Fields>,
  task: ReadonlyMap<string, Fields>,
): string[] {
  const shared = [...task].filter(([type]) => base.has(type));
  if (shared.length === 0) {
    const [type, baseType] = [ownType(task), ownType(base)];
    if (type === '' || baseType === '') return [];
    return [`model_type is ${shown(type)} instead of ${shown(baseType)}`];
  }
  return shared.flatMap(([type, fields]) => fieldDifferences(base.get(type)!, fields));
}

/** The type of the whole, which `partsOf` puts last. */
function ownType(parts: ReadonlyMap<string, Fields>): string {
  return [...parts.keys()].at(-1) ?? '';
}

function fieldDifferences(base: Fields, task: Fields): string[] {
  return COMPARED.flatMap((key) => {
    const [there, here] = [base[key], task[key]];
    // What a file leaves out has the default of its model.
    if (!isPlain(there) || !isPlain(here) || there === here) return [];
    return [`${key} is ${shown(here)} instead of ${shown(there)}`];
  });
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function shown(value: string | number): string {
  const text = String(value);
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}…` : text;
}

function brokenConfigFinding({ name, brokenConfig }: ModelFacts): Finding {
  return finding({
    level: 'warning',
    topic: 'architecture',
    title: `The configuration of ${name} can not be read.`,
    detail: `${brokenConfig} What it says is not known, such as whether the head is the embedding: mend the file, or download it again, and open the group anew.`,
  });
}

function unknownConfig(without: readonly ModelFacts[]): Finding {
  return finding({
    level: 'note',
    topic: 'architecture',
    title: `${listed(without.map(({ name }) => name))} ${without.length === 1 ? 'brings' : 'bring'} no config.json.`,
    detail: 'Whether it is the same kind of model is told from the tensors alone.',
  });
}

function agree(config: Fields): Finding {
  const type = textOf(config['model_type']);
  const of = type === null ? '' : ` (${shown(type)})`;
  const title = `All configurations describe one kind of model${of}.`;
  return finding({ level: 'ok', topic: 'architecture', title });
}
