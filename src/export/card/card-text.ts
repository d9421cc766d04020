/** Names and numbers inside Markdown: whatever a name holds, it stays text on its line. */

const SPECIAL = /[\\`*_{}[\]()#+!|~$:@.-]/g;
/** Punctuation that means nothing inside a line: names stay legible. */
const HARMLESS = new Set(['.', '-', '(', ')', '+', '#', ':', '@', '{', '}', '!', '$']);

/** A name as inline Markdown, in tables too. */
export function plain(text: string): string {
  return (
    text
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
      .trim()
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(SPECIAL, (char) => (HARMLESS.has(char) ? char : `\\${char}`))
      // A bare address would become a link of its own.
      .replace(/:\/\//g, '&#58;//')
      .replace(/\bwww\./gi, (found) => found.replace('.', '&#46;'))
  );
}

/** A link, or its text alone where the address is not one of the web. */
export function link(text: string, address: string): string {
  if (!/^https?:\/\//.test(address)) return plain(text);
  const safe = address.replace(/[\s<>()\\|`"\p{Cc}]/gu, (char) => encodeAll(char));
  return `[${plain(text)}](${safe})`;
}

/** encodeURIComponent, brackets included. */
function encodeAll(char: string): string {
  const known: Readonly<Record<string, string>> = { '(': '%28', ')': '%29' };
  return known[char] ?? encodeURIComponent(char);
}

/** Whole numbers with commas between thousands, the same in every locale. */
export function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A share as percent with one decimal. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** A Markdown table; the first column is text, the others are numbers unless told otherwise. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  align: 'numbers' | 'texts' = 'numbers',
): string {
  const rule = header.map((_, column) => (column > 0 && align === 'numbers' ? '---:' : '---'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
