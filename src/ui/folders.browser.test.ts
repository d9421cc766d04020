/** Folders of this disk, by role; the origin's own folders stand in for the disk's. */
import { clear, createStore } from 'idb-keyval';
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { resetJob } from '@/store/actions/job';
import { type ScriptedWorker, scriptedWorker } from '@/store/state/scripted-worker';
import { recentStore } from '@/store/actions/recent-folders';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from '@/store/actions/start';
import { App } from './app';
import './tokens.css';
import './base.css';

let worker: ScriptedWorker;
let root: Root;
let disk: FileSystemDirectoryHandle;

beforeEach(async () => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  recentStore.setState({ folders: [] });
  await clear(createStore('peru-folders', 'recent'));
  const storage = await navigator.storage.getDirectory();
  disk = await storage.getDirectoryHandle('folders-page', { create: true });
});

afterEach(async () => {
  root.unmount();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  const storage = await navigator.storage.getDirectory();
  await storage.removeEntry('folders-page', { recursive: true });
});

async function mount(): Promise<void> {
  const host = document.createElement('div');
  document.body.append(host);
  worker = scriptedWorker();
  root = createRoot(host);
  root.render(createElement(App));
  void startPage(worker, { search: '', replace: () => undefined });
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
}

/** A folder of this name is what the visitor picks from now on. */
async function picks(name: string): Promise<void> {
  const folder = await disk.getDirectoryHandle(name, { create: true });
  await folder.getFileHandle('model.safetensors', { create: true });
  vi.stubGlobal('showDirectoryPicker', () => Promise.resolve(folder));
}

const open = () => page.getByRole('button', { name: 'Open folder' });
const recent = (name: string) => page.getByRole('button', { name: `Recent: ${name}` });

/** They stand where sources are added: behind a button while something is open. */
async function unfold(): Promise<void> {
  const name = /^(Change|More sources)$/;
  await userEvent.click(page.getByRole('button', { name, expanded: false }));
}

describe('folders', () => {
  it('open, are listed, open again together with others, and are forgotten', async () => {
    await picks('base');
    await mount();
    await unfold();
    await userEvent.click(open());
    const base = { path: 'base/model.safetensors' };
    await expect.poll(() => worker.last().request).toMatchObject({ files: [base] });
    await unfold();
    await expect.element(recent('base')).toBeVisible();
    await picks('task');
    await userEvent.click(open());
    await expect.element(recent('task')).toBeVisible();
    await userEvent.click(page.getByRole('button', { name: 'Demo: full fine-tunes' }));
    await unfold();
    await userEvent.click(recent('base'));
    await expect.poll(() => worker.last().request).toMatchObject({ kind: 'files', files: [base] });
    await unfold();
    await userEvent.click(recent('task'));
    await expect
      .poll(() => worker.last().request)
      .toMatchObject({ files: [base, { path: 'task/model.safetensors' }] });
    await userEvent.click(page.getByRole('button', { name: 'Forget base' }));
    await expect.element(recent('base')).not.toBeInTheDocument();
    await expect.element(open()).toHaveFocus();
  });

  it('are still there when the page opens anew, and say so when they are gone', async () => {
    await picks('base');
    await mount();
    await unfold();
    await userEvent.click(open());
    await unfold();
    await expect.element(recent('base')).toBeVisible();
    root.unmount();
    recentStore.setState({ folders: [] });
    await mount();
    await unfold();
    await disk.removeEntry('base', { recursive: true });
    await userEvent.click(recent('base'));
    await expect
      .element(page.getByRole('alert'))
      .toHaveTextContent(/The folder base is not where it was/);
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
  });

  it('that the visitor does not pick after all change nothing', async () => {
    const none = new DOMException('The user aborted a request.', 'AbortError');
    vi.stubGlobal('showDirectoryPicker', () => Promise.reject(none));
    await mount();
    await unfold();
    await userEvent.click(open());
    await expect.element(open()).toBeVisible();
    expect(page.getByRole('alert').elements()).toHaveLength(0);
    expect(worker.jobs).toHaveLength(1);
  });

  it('are offered only where the browser can open them again; files always are', async () => {
    vi.stubGlobal('showDirectoryPicker', undefined);
    await mount();
    await unfold();
    expect(open().elements()).toHaveLength(0);
    expect(page.getByRole('group', { name: 'Folders of this disk' }).elements()).toHaveLength(0);
    await expect.element(page.getByLabelText('Add checkpoint files')).toBeInTheDocument();
  });
});
