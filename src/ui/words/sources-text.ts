/** What is open, or being opened, in a line. Pure. */
import { type GroupKind } from '@/recipe/parsed-method';
import { fileSets } from '@/store/sources/file-list';
import { type SourcesState } from '@/store/state/sources';
import { bytes, taskCount } from './format';
import { plural } from './preflight-text';

interface Opened {
  readonly title: string;
  readonly kind: GroupKind;
  readonly checkpoints: readonly { readonly role: 'base' | 'task'; readonly byteLength: number }[];
}

/** `Your files: one base and 24 fine-tunes, 2.18 MB in all.` */
export function openedText({ title, kind, checkpoints }: Opened): string {
  const tasks = checkpoints.filter(({ role }) => role === 'task').length;
  const total = checkpoints.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (kind === 'loras') {
    const what = tasks === 1 ? `${title}: a LoRA file` : title;
    return `${what} without a base, ${bytes(total)} in all.`;
  }
  return `${title}: one base and ${taskCount(tasks, kind === 'adapters')}, ${bytes(total)} in all.`;
}

/** The group once its headers are read; before, what was asked for. */
export function sourcesText({ request, preflight, group }: SourcesState): string {
  if (group !== null) {
    const { title, contents, cards } = group;
    return openedText({ title, kind: contents.kind, checkpoints: cards });
  }
  if (preflight !== null) return openedText(preflight);
  if (request?.kind === 'files') {
    const total = request.files.reduce((sum, { file }) => sum + file.size, 0);
    return `${plural(fileSets(request.files).length, 'source')} from your disk, ${bytes(total)}.`;
  }
  return request?.kind === 'hub' ? `${plural(request.repos.length, 'repo')} from the Hub.` : '';
}
