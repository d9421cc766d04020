/**
 * Reads the JSON files of a repo (config, preprocessor, tokenizer) with a cap on their size. Python's
 * json writes the bare words `Infinity`, `-Infinity` and `NaN`, which JSON does not have: they are read.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { readRange } from '@/tensor/safetensors';

/** Largest files Peru parses, in bytes; real ones stay well below. */
export const JSON_CAPS = {
  config: 1_000_000,
  tokenizer: 64_000_000,
  shardIndex: 25_000_000,
  recipe: 5_000_000,
  manifest: 1_000_000,
} as const;

/**
 * @param maxBytes refuse longer files, unread
 * @returns with null where NaN stands
 * @throws PeruError `parse` when the file is too long, not UTF-8 or not JSON, `source` when it
 *   can not be read
 */
export async function readJson(blob: ByteSource, name: string, maxBytes: number): Promise<unknown> {
  if (blob.size > maxBytes) {
    throw new PeruError(
      'parse',
      `${name} has ${blob.size} bytes; at most ${maxBytes} are expected of such a file.`,
      'Check that it is the file its name says, from the same repository as the weights.',
    );
  }
  const bytes = await readRange(blob, 0, blob.size, name);
  try {
    return parsePython(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PeruError(
      'parse',
      `${name} is not valid JSON: ${reason}.`,
      'Download the file again from the repository the weights came from.',
      { cause },
    );
  }
}

const STRING_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:Infinity|NaN)\b/g;

/** @throws SyntaxError where it is not JSON, the three words apart */
function parsePython(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const spelt = text.replace(STRING_OR_WORD, spellWord);
    // The first error tells of the file as it is.
    if (spelt === text) throw error;
    return JSON.parse(spelt) as unknown;
  }
}

/** A number past the largest is read as Infinity. */
function spellWord(token: string): string {
  if (token.startsWith('"')) return token;
  return token === 'NaN' ? 'null' : token.replace('Infinity', '1e999');
}

/**
 * Like `readJson`, for files whose top level is an object.
 *
 * @throws PeruError `parse` also when the top level is anything else
 */
export async function readJsonObject(
  blob: ByteSource,
  name: string,
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  const value = await readJson(blob, name, maxBytes);
  if (isRecord(value)) return value;
  throw new PeruError(
    'parse',
    `${name} holds no JSON object at its top level.`,
    'Check that it is the file its name says, from the same repository as the weights.',
  );
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
