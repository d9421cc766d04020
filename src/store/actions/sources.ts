/** What the visitor can open. */
import { listRepos, setHub } from './hub';
import { openSource, raiseAlert, replan } from './job';
import { commitRecipe } from './recipe';
import { type DemoName } from '@/protocol/requests';
import { adoptRecipe, forgetChosenLambda } from '@/store/recipe/edits';
import { addToList, clash, removeFromList } from '@/store/sources/file-list';
import { isRecipeFile, readRecipe, type RecipeToOpen } from './recipe-file';
import { type AddedFile, sourcesStore } from '@/store/state/sources';

/** Opens an embedded demo. */
export function openDemo(demo: DemoName): void {
  forgetChosenLambda();
  void openSource({ kind: 'demo', demo });
}

/**
 * Adds files to those of the visitor's disk that are open, and opens them all together. A recipe
 * that comes alone is followed instead.
 */
export function addFiles(added: readonly AddedFile[]): void {
  const [first, ...more] = added;
  if (first === undefined) return;
  if (more.length === 0 && isRecipeFile(first.path)) void openRecipe(first);
  else appendFiles(added);
}

/** Closes one set of the visitor's files; with none left, the first demo opens. */
export function removeFileSet(root: string): void {
  openFiles(removeFromList(localFiles(), root));
}

/** Shows or hides the ways to add sources and to take them away while something is open. */
export function changeSources(isChanging: boolean): void {
  sourcesStore.setState({ isChanging });
}

/** Closes what the visitor opened, from disk or from a Hub; the first demo opens. */
export function closeSources(): void {
  listRepos([]);
  openDemo('fft');
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

/** Plans without the tensors of these names: what a refusal offered. */
export function leaveOut(exclude: readonly string[]): void {
  const { patterns } = sourcesStore.getState();
  void replan({ exclude: [...patterns.exclude, ...exclude] });
}

function appendFiles(added: readonly AddedFile[]): void {
  const present = localFiles();
  if (clash(present, added)) void appendClashing(added);
  else openFiles([...present, ...added]);
}

/** Files are read to tell whether they are there already; the list may change meanwhile. */
async function appendClashing(added: readonly AddedFile[]): Promise<void> {
  try {
    for (;;) {
      const present = localFiles();
      const all = await addToList(present, added);
      if (localFiles() !== present) continue;
      openFiles(all);
      return;
    }
  } catch (error) {
    raiseAlert(error);
  }
}

async function openRecipe(file: AddedFile): Promise<void> {
  try {
    const found = await readRecipe(file, sourcesStore.getState().request);
    if (found === null) appendFiles([file]);
    else followRecipe(found);
  } catch (error) {
    raiseAlert(error);
  }
}

function followRecipe({ request, recipe, patterns, notes }: RecipeToOpen): void {
  if (request === null) {
    commitRecipe(recipe);
    return;
  }
  if (request.kind === 'hub') {
    setHub(request.hubUrl ?? null);
    listRepos(request.repos);
  }
  adoptRecipe(recipe);
  void openSource(request, { patterns, notes });
}

/**
 * The base chosen before stays chosen for as long as its file is among those to open, and patterns
 * hold for as long as there are files.
 */
function openFiles(files: readonly AddedFile[], chosen = chosenBase()): void {
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

function localFiles(): readonly AddedFile[] {
  const { request } = sourcesStore.getState();
  return request?.kind === 'files' ? request.files : NO_FILES;
}

const NO_FILES: readonly AddedFile[] = [];
