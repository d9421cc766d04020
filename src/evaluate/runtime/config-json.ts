/** Typed reading of a repo's config.json. */
import { PeruError } from '@/core/errors';

export type Json = Readonly<Record<string, unknown>>;

/**
 * A positive integer of the file, or `fallback` where it has none.
 *
 * @throws PeruError 'parse' for any other value
 */
export function positive(json: Json, key: string, fallback: number): number {
  const value = positiveNumber(json, key, fallback);
  if (!Number.isSafeInteger(value)) throw wrongType(key, value);
  return value;
}

/**
 * A number above 0 of the file, or `fallback` where it has none.
 *
 * @throws PeruError 'parse' for any other value
 */
export function positiveNumber(json: Json, key: string, fallback: number): number {
  const value = json[key] ?? fallback;
  if (typeof value !== 'number' || !(value > 0)) throw wrongType(key, value);
  return value;
}

/**
 * @param what names the value in the message
 * @throws PeruError 'parse' when it is no JSON object
 */
export function asObject(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(what, value);
  }
  return value as Json;
}

/** The error for a value of the wrong type. */
export function wrongType(key: string, value: unknown): PeruError {
  return new PeruError(
    'parse',
    `config.json: ${key} is ${JSON.stringify(value)}, which is not a value it can have.`,
    'Take config.json from the same repo as the weights.',
  );
}

/**
 * The error for a config.json whose model is not scored.
 *
 * @param needs the model that would be: `a T5 model`
 */
export function unsupportedConfig(reason: string, needs: string): PeruError {
  return new PeruError(
    'unsupported',
    `config.json: ${reason}, so accuracy cannot be computed.`,
    `Merging and export still work; only accuracy needs ${needs} of the usual kind.`,
  );
}

/** The file's `model_type`, for messages. */
export function seenModelType({ model_type: type }: Json): string {
  return type === undefined ? 'missing' : JSON.stringify(type);
}
