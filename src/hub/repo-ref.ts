/** What a visitor types to name a model repo of the Hub, or a part of one. */
import { PeruError } from '@/core/errors';

export const DEFAULT_HUB_URL = 'https://huggingface.co';

export interface RepoRef {
  /** `owner/name`; a bare `name` for the Hub's oldest repos. */
  readonly repo: string;
  /** Branch, tag, commit or `refs/pr/N`; null: the repo's main branch. */
  readonly revision: string | null;
  /** Folder or .safetensors file inside the repo; empty for the whole repo. */
  readonly path: string;
}

const PART = /^(?!.*(?:--|\.\.))\w[\w.-]{0,95}$/;
/** What git allows in a branch's name, narrowed to what is safe in a URL once encoded. */
const REVISION = /^(?!.*\.\.)[\w][\w./+-]{0,199}$/;
const SHORT_HOSTS: ReadonlySet<string> = new Set(['hf.co', 'www.huggingface.co']);
const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ['datasets', 'a data set'],
  ['spaces', 'a Space'],
  ['buckets', 'a bucket'],
  ['kernels', 'a kernel'],
  ['collections', 'a collection'],
  ['papers', 'a paper'],
  ['blog', 'a blog post'],
]);
const HOW =
  'Type owner/name as the Hub shows it, with @revision behind it for anything but the main branch; or paste the address of the model’s page.';

/**
 * Reads `owner/name`, `owner/name@revision`, `owner/name/folder@revision` or an address of the Hub
 * (`/owner/name`, `/tree/REV/folder`, `/blob|resolve/REV/file`, `/discussions/N`).
 *
 * @param hubUrl addresses must be of this Hub
 * @throws PeruError `source` when it names no model repo
 */
export function parseRepoRef(text: string, hubUrl: string = DEFAULT_HUB_URL): RepoRef {
  const typed = text.trim();
  const address = hubAddress(typed, hubUrl);
  const ref = address === null ? parseShort(typed) : parseAddress(address, typed);
  const { repo, revision, path } = ref;
  const isRepo = repo.split('/').every((part) => PART.test(part)) && repo.split('/').length <= 2;
  if (!isRepo) throw notARepo(typed);
  if (revision !== null && !REVISION.test(revision)) {
    throw new PeruError('source', `"${revision}" can not be a revision of ${repo}.`, HOW);
  }
  if (path.split('/').some((part) => part === '..' || part === '.')) throw notARepo(typed);
  return ref;
}

/** The shortest text that `parseRepoRef` reads back: what links and messages carry. */
export function formatRepoRef({ repo, revision, path }: RepoRef): string {
  return pathBelow(repo, path) + (revision === null ? '' : `@${revision}`);
}

/** Joins two paths, either of which may be empty. */
export function pathBelow(folder: string, path: string): string {
  return [folder, path].filter((part) => part !== '').join('/');
}

function notARepo(typed: string): PeruError {
  const shown = typed.length > 80 ? `${typed.slice(0, 80)}…` : typed;
  const message = typed === '' ? 'No repo was named.' : `"${shown}" does not name a model repo.`;
  return new PeruError('source', message, HOW);
}

/** The address's URL, or null where the text is none. */
function hubAddress(typed: string, hubUrl: string): URL | null {
  const hub = new URL(hubUrl);
  const bare = typed.startsWith('huggingface.co/') || typed.startsWith('hf.co/');
  if (!bare && !/^https?:\/\//i.test(typed)) return null;
  if (!URL.canParse(bare ? `https://${typed}` : typed)) throw notARepo(typed);
  const url = new URL(bare ? `https://${typed}` : typed);
  const isPublicHub = hub.host === new URL(DEFAULT_HUB_URL).host;
  if (url.host === hub.host || (isPublicHub && SHORT_HOSTS.has(url.host))) return url;
  throw new PeruError(
    'source',
    `The address is one of ${url.host}, not of the Hub in use, ${hub.host}.`,
    HOW,
  );
}

function parseShort(typed: string): RepoRef {
  const at = typed.indexOf('@');
  const name = at < 0 ? typed : typed.slice(0, at);
  const revision = at < 0 ? null : typed.slice(at + 1);
  const parts = name.split('/');
  refuseOtherKinds(parts, typed);
  return { repo: parts.slice(0, 2).join('/'), revision, path: parts.slice(2).join('/') };
}

function parseAddress(url: URL, typed: string): RepoRef {
  const parts = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded(typed));
  if (parts[0] === 'models') parts.shift();
  refuseOtherKinds(parts, typed);
  const repo = parts.slice(0, 2).join('/');
  const [verb, revision, ...rest] = parts.slice(2);
  if (verb === undefined) return { repo, revision: null, path: '' };
  if (verb === 'discussions' && revision !== undefined && /^\d+$/.test(revision)) {
    return { repo, revision: `refs/pr/${revision}`, path: '' };
  }
  if (!['tree', 'blob', 'resolve', 'raw', 'commit'].includes(verb) || revision === undefined) {
    return { repo, revision: null, path: '' };
  }
  // refs/pr/N has slashes of its own; the Hub's pages encode them, people do not.
  const isRef = revision === 'refs' && rest.length >= 2;
  const whole = isRef ? [revision, ...rest.slice(0, 2)].join('/') : revision;
  const below = (isRef ? rest.slice(2) : rest).join('/');
  const isFile = verb === 'blob' || verb === 'resolve' || verb === 'raw';
  return { repo, revision: whole, path: isFile ? fileOrFolder(below) : below };
}

/** A weights file is meant itself; any other file stands for its folder. */
function fileOrFolder(path: string): string {
  return path.endsWith('.safetensors') ? path : path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function decoded(typed: string): (part: string) => string {
  return (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw notARepo(typed);
    }
  };
}

function refuseOtherKinds(parts: readonly string[], typed: string): void {
  const kind = parts.length > 1 ? OTHER_KINDS.get(parts[0]!) : undefined;
  if (kind === undefined) return;
  throw new PeruError(
    'source',
    `"${typed}" is ${kind}, not a model repo.`,
    'Give the repo of a model: its page on the Hub stands under Models.',
  );
}
