import { type ByteSource } from '@/tensor/byte-source';
/** Reads licence and base models from a model card: README.md with YAML front matter, as on the Hub. */

/** A card longer than this is not searched further, in bytes; front matter stands at the top. */
const MAX_CARD_BYTES = 200_000;

/**
 * The licence a card names: `license:` as a scalar or a list, or `license_name:` where the
 * licence is `other`. Null when there is no front matter or it names none.
 */
export function licenceOf(card: string): string | null {
  const lines = frontMatterOf(card);
  const licence = joined(topLevelValues(lines, 'license'));
  if (licence === 'other') return joined(topLevelValues(lines, 'license_name')) ?? licence;
  return licence;
}

/** Models that a card names as those its model was made from: `base_model:`. */
function baseModelsOf(card: string): readonly string[] {
  return topLevelValues(frontMatterOf(card), 'base_model');
}

/** `licenceOf` for a file; null when absent (`blob` null) or unreadable as text. */
export async function readLicence(blob: ByteSource | null): Promise<string | null> {
  return blob === null ? null : licenceOf(await readCard(blob));
}

/** `baseModelsOf` for a file; none when absent (`blob` null). */
export async function readBaseModels(blob: ByteSource | null): Promise<readonly string[]> {
  return blob === null ? [] : baseModelsOf(await readCard(blob));
}

function readCard(blob: ByteSource): Promise<string> {
  return blob.slice(0, MAX_CARD_BYTES).text();
}

/** Lines of the front matter; none where there is none. */
function frontMatterOf(card: string): readonly string[] {
  const text = /^\uFEFF?---[ \t]*\r?\n([^]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(card)?.[1];
  return text?.split(/\r?\n/) ?? [];
}

/** Values of a top-level key: a scalar on its line, or the items of a block or flow list. */
function topLevelValues(lines: readonly string[], key: string): readonly string[] {
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (at < 0) return [];
  const inline = stripComment(lines[at]!.slice(key.length + 1));
  if (inline.startsWith('[') && inline.endsWith(']')) {
    return named(inline.slice(1, -1).split(','));
  }
  if (inline !== '') return [unquote(inline)];
  const items: string[] = [];
  for (const line of lines.slice(at + 1)) {
    const item = /^\s*-\s+(.*)$/.exec(line)?.[1];
    if (item === undefined) break;
    items.push(stripComment(item));
  }
  return named(items);
}

function named(items: readonly string[]): readonly string[] {
  return items.map((item) => unquote(item.trim())).filter((name) => name !== '');
}

function joined(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(', ');
}

function stripComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, '').trim();
}

function unquote(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}
