/** Reads one YAML text whose top level is a mapping. Input is hostile. */
import { PeruError } from '@/core/errors';

export type YamlMapping = Readonly<Record<string, unknown>>;

/** Longest text read, in UTF-16 units; configurations people write have a few hundred lines. */
const MAX_TEXT = 1_000_000;
/** Most values that aliases may repeat: a few lines of them could stand for gigabytes. */
const MAX_ALIASES = 100;

/**
 * @param file names it in messages
 * @throws PeruError `parse` when the text is too long, not YAML, or no mapping
 */
export async function parseYamlMapping(text: string, file: string): Promise<YamlMapping> {
  const parsed = text.length > MAX_TEXT ? null : await parse(text, file);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as YamlMapping;
  }
  throw new PeruError(
    'parse',
    `${file} holds no YAML mapping of at most ${MAX_TEXT} characters.`,
    'Check that it is the configuration its name says.',
  );
}

async function parse(text: string, file: string): Promise<unknown> {
  const yaml = await import('yaml');
  try {
    // As PyYAML reads it: 1.1, where "yes" is true.
    return yaml.parse(text, { version: '1.1', maxAliasCount: MAX_ALIASES, logLevel: 'error' });
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : String(cause);
    throw new PeruError(
      'parse',
      `${file} is not valid YAML: ${reason.replace(/[:.]$/, '')}.`,
      'Correct the file at that place, then drop it again.',
      { cause },
    );
  }
}
