/** Parts that the cards of all kinds of exports have. */
import { type GroupRecord, type SourceRecord } from '@/recipe/recipe-file';
import { type CardFacts } from './card-facts';
import { link, plain, table, whole } from './card-text';

const PUBLIC_HUB = 'https://huggingface.co';
/** Differs from run to run, or is the card itself. */
const WITHOUT_HASH = new Set(['results.json', 'README.md']);

/** A source, and what it is called in the table, as Markdown. */
export interface RoleSource extends SourceRecord {
  readonly role: string;
}

/** Where the sources lie, with the hashes of their files. */
export function sourceTable(sources: readonly RoleSource[], group: GroupRecord): string {
  const hub = group.kind === 'hub' ? (group.hub ?? PUBLIC_HUB) : PUBLIC_HUB;
  const rows = sources.flatMap((source) =>
    source.files.map(({ path, bytes, sha256 }, i) => [
      i > 0 ? '' : source.role,
      i > 0 ? '' : origin(source, hub),
      plain(path),
      whole(bytes),
      `\`${sha256}\``,
    ]),
  );
  return table(['role', 'from', 'file', 'bytes', 'SHA-256'], rows, 'texts');
}

function origin({ name, repo, commit, folder }: SourceRecord, hub: string): string {
  if (repo === undefined) return plain(name);
  const at = commit === undefined ? '' : `@${commit.slice(0, 12)}`;
  const inside = folder === undefined ? '' : `, ${plain(folder)}`;
  const address = `${hub.replace(/\/+$/, '')}/${repo}${commit === undefined ? '' : `/tree/${commit}`}`;
  return `${link(`${repo}${at}`, address)}${inside}`;
}

/** The files of the export, with their hashes. */
export function fileSection(files: CardFacts['files']): string {
  const rows = files
    .filter(({ path }) => !WITHOUT_HASH.has(path))
    .map(({ path, bytes, sha256 }) => [plain(path), whole(bytes), `\`${sha256}\``]);
  return `## Files\n\n${table(['file', 'bytes', 'SHA-256'], rows, 'texts')}\n\n\`results.json\` holds the numbers above and how long they took.`;
}

/** What computed the export. */
export function computedOn({ adapter, engine }: CardFacts['results']): string {
  const { vendor, architecture, description, fallback } = adapter;
  const named = [...new Set([description, vendor, architecture])].filter((name) => name !== '');
  const what = plain(named.join(', ')) || 'an adapter that does not tell its name';
  const how = {
    webgpu: `with WebGPU on ${what}${fallback ? ', a software adapter' : ''}`,
    processor: 'on the processor, without WebGPU',
    reference: 'in float64 on the CPU, without WebGPU',
  }[engine];
  return `## Computed on\n\nMerged, compressed and scored in a browser ${how}.`;
}

/** A block of code. */
export function fenced(language: string, text: string): string {
  // A name inside may hold backticks: the fence is longer than any run of them.
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}${fence}`;
}
