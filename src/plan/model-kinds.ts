/** Whether an adapter was made for the kind of model that a base is, as far as both say. */
import { type ModelClass } from '@/formats/lora/lora-adapter';
import { type ModelConfig } from './tied-tensors';

/** Parts of a model have configurations inside of the model's, and these others. */
const MAX_DEPTH = 3;

/** @returns null where the one or the other is not known */
export function isKindOf(modelClass: ModelClass | null, config: ModelConfig): boolean | null {
  const kind = /^transformers\.models\.(\w+)\./.exec(modelClass?.library ?? '')?.[1];
  const types = config === null ? [] : modelTypes(config, MAX_DEPTH);
  if (kind === undefined || types.length === 0) return null;
  // Parts of a kind are called after it: clip_vision_model, gemma3_text.
  return types.some((type) => type === kind || type.startsWith(`${kind}_`));
}

/** `model_type` of a model and of its parts, as transformers calls their folders. */
function modelTypes(config: Readonly<Record<string, unknown>>, depth: number): string[] {
  const own = config['model_type'];
  const parts = depth === 0 ? [] : Object.values(config);
  return [
    ...(typeof own === 'string' ? [own.replaceAll('-', '_')] : []),
    ...parts.flatMap((part) => (isObject(part) ? modelTypes(part, depth - 1) : [])),
  ];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
