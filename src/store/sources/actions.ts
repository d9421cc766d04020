/** What the visitor can open. */
import { openSource } from '@/store/job/actions';
import { type DemoName } from '@/worker/protocol';
import { forgetChosenLambda } from '@/store/recipe/edits';
import { addToList, removeFromList } from './file-list';
import { type LocalFile, sourcesStore } from './state';

/** Opens an embedded demo: eight full fine-tunes, or eight LoRA adapters. */
export function openDemo(demo: DemoName): void {
  forgetChosenLambda();
  void openSource({ kind: 'demo', demo });
}

/** Adds files to those of the visitor's disk that are open, and opens them all together. */
export function addFiles(added: readonly LocalFile[]): void {
  if (added.length === 0) return;
  openFiles(addToList(localFiles(), added));
}

/** Closes one set of the visitor's files; with none left, the first demo opens. */
export function removeFileSet(root: string): void {
  openFiles(removeFromList(localFiles(), root));
}

/** Takes another checkpoint as the base: a path among the visitor's files, or a model of the Hub. */
export function chooseBase(id: string): void {
  const { request, patterns } = sourcesStore.getState();
  if (request?.kind === 'hub') {
    forgetChosenLambda();
    void openSource({ ...request, base: id }, { patterns });
  } else openFiles(localFiles(), id);
}

/** Opens the same again, NaN and Inf and all: the visitor said so. */
export function allowNonFinite(): void {
  const { request, start, patterns } = sourcesStore.getState();
  if (request === null || request.kind === 'demo') return;
  void openSource({ ...request, allowNonFinite: true }, { start, patterns });
}

/**
 * The base chosen before stays chosen for as long as its file is among those to open, and patterns
 * hold for as long as there are files.
 */
function openFiles(files: readonly LocalFile[], chosen = chosenBase()): void {
  if (files.length === 0) {
    openDemo('fft');
    return;
  }
  forgetChosenLambda();
  const isThere = files.some(({ path }) => path === chosen);
  const { request, patterns } = sourcesStore.getState();
  void openSource(
    { kind: 'files', files, ...(chosen !== undefined && isThere ? { base: chosen } : {}) },
    request?.kind === 'files' ? { patterns } : {},
  );
}

function chosenBase(): string | undefined {
  const { request } = sourcesStore.getState();
  return request?.kind === 'files' ? request.base : undefined;
}

function localFiles(): readonly LocalFile[] {
  const { request } = sourcesStore.getState();
  return request?.kind === 'files' ? request.files : [];
}
