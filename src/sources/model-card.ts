/** Reads the licence from a model card: README.md with YAML front matter, as on the Hub. */

/** A card longer than this is not searched further, in bytes; front matter stands at the top. */
const MAX_CARD_BYTES = 200_000;

/**
 * The licence a card names: `license:` as a scalar or a list, or `license_name:` where the
 * licence is `other`. Null when there is no front matter or it names none.
 */
export function licenceOf(card: string): string | null {
  const frontMatter = /^\uFEFF?---[ \t]*\r?\n([^]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(card)?.[1];
  if (frontMatter === undefined) return null;
  const lines = frontMatter.split(/\r?\n/);
  const licence = topLevelValue(lines, 'license');
  if (licence === 'other') return topLevelValue(lines, 'license_name') ?? licence;
  return licence;
}

/** `licenceOf` for a file; null when absent (`blob` null) or unreadable as text. */
export async function readLicence(blob: Blob | null): Promise<string | null> {
  return blob === null ? null : licenceOf(await blob.slice(0, MAX_CARD_BYTES).text());
}

/** Value of a top-level key: a scalar on its line, or a block or flow list joined by commas. */
function topLevelValue(lines: readonly string[], key: string): string | null {
  const at = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (at < 0) return null;
  const inline = stripComment(lines[at]!.slice(key.length + 1));
  if (inline.startsWith('[') && inline.endsWith(']')) {
    return joined(inline.slice(1, -1).split(','));
  }
  if (inline !== '') return unquote(inline);
  const items: string[] = [];
  for (const line of lines.slice(at + 1)) {
    const item = /^\s*-\s+(.*)$/.exec(line)?.[1];
    if (item === undefined) break;
    items.push(stripComment(item));
  }
  return joined(items);
}

function joined(items: readonly string[]): string | null {
  const names = items.map((item) => unquote(item.trim())).filter((name) => name !== '');
  return names.length === 0 ? null : names.join(', ');
}

function stripComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, '').trim();
}

function unquote(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}
