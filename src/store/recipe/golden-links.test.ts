/**
 * Links as Peru has written them, or as people wrote them by hand: each opens for ever what it
 * opened when it was put down here. Add to `golden/links.json`; change nothing in it.
 */
import { expect, test } from 'vitest';
import { type CheckpointCard } from '@/protocol/group-facts';
import { type SourceRequest } from '@/protocol/requests';
import { groupOf } from '@/store/state/scripted-worker';
import golden from './golden/links.json';
import { readLink, writeLink } from './link';
import { DEFAULT_RECIPE } from '@/store/state/recipe';

interface GoldenLink {
  readonly link: string;
  /** What the page's address becomes: all that the link says, and every default it leaves out. */
  readonly becomes: string;
  /** What in it can not be opened; left out for nothing. */
  readonly unknown?: string;
}

/** A task of an export lies in the folder that was named. */
function inside(folder: string): string {
  return folder.includes('/exported/') ? folder.replace('@', '/task.sparse.safetensors@') : folder;
}

function becomes(link: string): string {
  const { demo, repos, patterns, hubUrl, recipe } = readLink(link);
  const [sample] = groupOf([]).cards;
  const card = (role: 'base' | 'task', id: string): CheckpointCard => ({ ...sample!, role, id });
  const cards = [
    ...(repos?.base == null ? [] : [card('base', repos.base)]),
    ...(repos?.tasks ?? []).map((id) => card('task', inside(id))),
  ];
  const opened = [...(repos?.base == null ? [] : [repos.base]), ...(repos?.tasks ?? [])];
  const hub: SourceRequest = { kind: 'hub', ...(hubUrl === null ? {} : { hubUrl }), repos: opened };
  const request: SourceRequest | null =
    demo !== null ? { kind: 'demo', demo } : repos !== null ? hub : null;
  const kind = demo === 'loras' ? 'loras' : demo === 'lora' ? 'adapters' : 'full';
  const source = { request, kind, cards, patterns, hubUrl } as const;
  return writeLink('', source, { ...DEFAULT_RECIPE, ...recipe });
}

test.each(golden as readonly GoldenLink[])('$link', (row) => {
  expect(becomes(row.link)).toBe(row.becomes);
  expect(readLink(row.link).unknownSource).toBe(row.unknown ?? null);
  // What an address has become opens the same again.
  if (row.unknown === undefined) expect(becomes(row.becomes)).toBe(row.becomes);
});
