/** The export as visitors meet it, by role and name, on a worker that does what the test says. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { setAccessToken } from '@/store/actions/hub';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { signInStore } from '@/store/actions/sign-in';
import { resetJob } from '@/store/actions/job';
import {
  adapterGroupOf,
  exportOf,
  groupOf,
  openAndLoad,
  preflightOf,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from '@/store/actions/start';
import { App } from './app';
import './tokens.css';
import './base.css';

const DONE = { status: 'done' } as const;

let worker: ScriptedWorker;
let root: Root;

beforeEach(async () => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  signInStore.setState({ status: 'out', note: null }, true);
  const host = document.createElement('div');
  document.body.append(host);
  worker = scriptedWorker();
  root = createRoot(host);
  root.render(createElement(App));
  void startPage(worker, { search: '?m=10', replace: () => undefined });
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
});

afterEach(() => {
  root.unmount();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  window.scrollTo(0, 0);
});

async function computeAll(group = groupOf(['a', 'b'])): Promise<void> {
  const adapter = { vendor: 'acme', architecture: 'one', description: '', fallback: false };
  worker.last().emit({ type: 'engine', engine: 'webgpu', adapter, evaluator: '' });
  await openAndLoad(worker, group);
  worker.last().emit({ type: 'storage', rows: [{ method: 'merged', files: [], bytes: 4000 }] });
  await worker.last().end(DONE);
}

async function makeExport(): Promise<void> {
  await computeAll();
  await userEvent.click(exportButton());
  worker.last().emit({ type: 'exported', facts: exportOf(['a', 'b']) });
  await worker.last().end(DONE);
  await expect.element(fileList()).toBeVisible();
}

/** Names and texts of everything handed to the browser to save from now on. */
function savedFiles(): { readonly name: string; readonly blob: Blob }[] {
  const saved: { name: string; blob: Blob }[] = [];
  const blobs = new Map<string, Blob>();
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    const url = `blob:test-${blobs.size}`;
    blobs.set(url, blob as Blob);
    return url;
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    saved.push({ name: this.download, blob: blobs.get(this.href)! });
  });
  return saved;
}

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const exportButton = () => button('Export');
const fileList = () => page.getByRole('list', { name: 'Exported files' });
const status = () => page.getByRole('status');
const dialog = () => page.getByRole('dialog', { name: 'Upload to huggingface.co' });

describe('the export', () => {
  it('waits for the numbers and says so to whoever can not press it', async () => {
    await openAndLoad(worker, groupOf(['a', 'b']));
    await expect.element(exportButton()).toHaveAttribute('aria-disabled', 'true');
    await expect.element(exportButton()).toHaveAccessibleDescription(/once the numbers/);
    exportButton().element().focus();
    await userEvent.keyboard('{Enter}');
    expect(worker.last().asked).toBe('run');
  });

  it('shows progress, then every file with bytes and hash, the bound and what was checked', async () => {
    await computeAll();
    await userEvent.click(exportButton());
    const progress = { stage: 'Writing merged.safetensors', done: 3e6, total: 9e6 };
    worker.last().emit({ type: 'progress', progress: { ...progress, unit: 'bytes' } });
    await expect.element(page.getByRole('progressbar')).toHaveAttribute('value', '3000000');
    await expect.element(page.getByText(/3\.00 MB of 9\.00 MB/)).toBeVisible();
    await expect.element(exportButton()).toHaveFocus();
    const facts = exportOf(['a', 'b']);
    worker.last().emit({ type: 'exported', facts });
    await worker.last().end(DONE);
    await expect.element(status()).toHaveTextContent(/^Done in .*: 8 files, .* read back$/);
    const rows = fileList().getByRole('listitem').elements();
    expect(
      rows.map((row) => row.querySelector('[title$=" bytes"]')?.getAttribute('title')),
    ).toEqual(facts.files.map(({ bytes }) => `${bytes.toLocaleString('en')} bytes`));
    expect(rows.map((row) => row.querySelector('button')?.title)).toEqual(
      facts.files.map(({ sha256 }) => sha256),
    );
    const region = page.getByRole('region', { name: 'Export' });
    await expect.element(region).toHaveTextContent(/Read back: 8 files, hashes, counts and values/);
    await expect
      .element(region)
      .toHaveTextContent(
        /takes 220.B: 88.% more than so many scattered at random would at least.* 117.B/,
      );
  });

  it('hands out each file under a name of its own, and all of them as one zip', async () => {
    await makeExport();
    const saved = savedFiles();
    worker.files.set('a.sparse.safetensors', new File(['kept'], 'a.sparse.safetensors'));
    await userEvent.click(button('Download a.sparse.safetensors'));
    await expect.poll(() => saved.map(({ name }) => name)).toEqual(['a.sparse.safetensors']);
    await userEvent.click(button('Download all'));
    expect(worker.last().asked).toBe('zip');
    worker.last().emit({ type: 'zipped', file: new File(['PK'], 'x') });
    await worker.last().end(DONE);
    await expect.poll(() => saved[1]?.name).toBe('peru-export.zip');
    expect(await saved[1]?.blob.text()).toBe('PK');
    await userEvent.click(button('Download b.sparse.safetensors'));
    await expect
      .element(page.getByRole('alert'))
      .toHaveTextContent(/b\.sparse\.safetensors is not there any more/);
  });

  it('copies a hash', async () => {
    await makeExport();
    const { files } = exportOf(['a', 'b']);
    const copied: string[] = [];
    vi.spyOn(navigator.clipboard, 'writeText').mockImplementation((text) => {
      copied.push(text);
      return Promise.resolve();
    });
    await userEvent.click(page.getByRole('button', { name: /copy the SHA-256 of config\.json/ }));
    await expect.element(page.getByText('Copied the SHA-256 of config.json.')).toBeInTheDocument();
    expect(copied).toEqual([files.find(({ path }) => path === 'config.json')?.sha256]);
  });

  it('says of which recipe the files are once another is shown', async () => {
    await makeExport();
    const field = page.getByRole('spinbutton', { name: 'Kept entries m (%)' });
    await userEvent.fill(field, '5');
    await userEvent.keyboard('{Enter}');
    const note = page.getByText(/^These files are of the recipe before: m.=.10.%\.$/);
    await expect.element(note).toBeVisible();
    await expect.element(button('Download all')).toHaveAttribute('aria-disabled', 'true');
    await worker.last().end(DONE);
    await userEvent.click(exportButton());
    worker.last().emit({ type: 'exported', facts: exportOf(['a']) });
    await worker.last().end(DONE);
    await expect.element(note).not.toBeInTheDocument();
  });

  it('keeps what is there when something fails, with the page’s alert', async () => {
    await makeExport();
    await userEvent.click(button('Download all'));
    const error = { kind: 'internal', message: 'The disk is full.', hint: 'Free space.' } as const;
    await worker.last().end({ status: 'failed', error });
    await expect.element(page.getByRole('alert')).toHaveTextContent(/The disk is full\..*Free/);
    await expect.element(fileList()).toBeVisible();
    await expect.element(button('Download all')).not.toHaveAttribute('aria-disabled');
  });

  it('saves into the folder that is picked, and nothing where none is', async () => {
    const folder = { name: 'My disk' } as FileSystemDirectoryHandle;
    const picker = vi.fn<(options: object) => Promise<FileSystemDirectoryHandle>>(() =>
      Promise.resolve(folder),
    );
    vi.stubGlobal('showDirectoryPicker', picker);
    await makeExport();
    await userEvent.click(button('Save to a folder'));
    await expect.poll(() => worker.last().folder).toBe(folder);
    expect(picker.mock.calls[0]?.[0]).toMatchObject({ mode: 'readwrite' });
    await worker.last().end(DONE);
    await expect.element(page.getByText(/^Saved into a new folder inside/)).toBeVisible();
    const none = new DOMException('The user aborted a request.', 'AbortError');
    picker.mockImplementation(() => Promise.reject(none));
    const jobs = worker.jobs.length;
    await userEvent.click(button('Save to a folder'));
    await expect.poll(() => picker.mock.calls.length).toBe(2);
    expect(worker.jobs).toHaveLength(jobs);
    expect(page.getByRole('alert').elements()).toHaveLength(0);
  });

  it('offers a folder only where the browser can write into one', async () => {
    vi.stubGlobal('showDirectoryPicker', undefined);
    await makeExport();
    expect(button('Save to a folder').elements()).toHaveLength(0);
  });
});

describe('the upload', () => {
  it('says what would go where, and goes only by its last button', async () => {
    await makeExport();
    setAccessToken('hf_write');
    await userEvent.click(button('Upload to the Hub…'));
    await expect.element(dialog()).toBeVisible();
    await expect.element(page.getByRole('checkbox', { name: /^Private/ })).toBeChecked();
    const files = dialog().getByRole('list', { name: 'Files to upload' });
    expect(files.getByRole('listitem').elements()).toHaveLength(8);
    const field = dialog().getByRole('textbox', { name: /^Repo to make/ });
    await expect.element(field).toHaveFocus();
    const confirm = dialog().getByRole('button', { name: /^Upload 8 files/ });
    await expect.element(confirm).toHaveAccessibleDescription('Name the repo first.');
    await userEvent.fill(field, 'me/a repo');
    await expect.element(confirm).toHaveAccessibleDescription(/letters, digits/);
    await userEvent.fill(field, 'me/merged');
    await userEvent.keyboard('{Enter}');
    expect(worker.last().asked, 'Enter in the field confirms nothing').toBe('export');
    await userEvent.click(dialog().getByRole('button', { name: 'Upload 8 files to me/merged' }));
    expect(worker.last().upload).toEqual({
      repo: 'me/merged',
      private: true,
      accessToken: 'hf_write',
      signedIn: false,
    });
    await expect.element(dialog()).not.toBeInTheDocument();
    await expect.element(button('Upload to the Hub…')).toHaveFocus();
    const url = 'https://huggingface.co/me/merged/commit/1a2b3c4d5e';
    worker.last().emit({ type: 'uploaded', url, commit: '1a2b3c4d5e' });
    await worker.last().end(DONE);
    const link = page.getByRole('link', { name: 'me/merged, commit 1a2b3c4' });
    await expect.element(link).toHaveAttribute('href', url);
  });

  it('closes by Escape, keeps the focus, and asks for the token that is missing', async () => {
    await makeExport();
    await userEvent.click(button('Upload to the Hub…'));
    await userEvent.fill(dialog().getByRole('textbox', { name: /^Repo/ }), 'me/merged');
    const confirm = dialog().getByRole('button', { name: /^Upload 8 files/ });
    await expect.element(confirm).toHaveAccessibleDescription('Say who uploads first.');
    await userEvent.fill(page.getByLabelText(/^Access token that may write/), 'hf_x');
    await expect.element(confirm).not.toHaveAttribute('aria-disabled');
    await userEvent.keyboard('{Escape}');
    await expect.element(dialog()).not.toBeInTheDocument();
    await expect.element(button('Upload to the Hub…')).toHaveFocus();
    expect(worker.last().asked).toBe('export');
  });

  it('names the owner who has signed in, and what the sign-in does not cover', async () => {
    await makeExport();
    signInStore.setState({ status: 'in', name: 'ada', scopes: ['read-repos'], note: null });
    await userEvent.click(button('Upload to the Hub…'));
    const field = dialog().getByRole('textbox', { name: /^Repo/ });
    await expect.element(field).toHaveValue('ada/peru-test-group');
    await expect.element(dialog()).toHaveTextContent(/Signed in as ada, for reading only so far/);
    const confirm = dialog().getByRole('button', { name: /^Upload 8 files/ });
    await expect.element(confirm).toHaveAccessibleDescription(/Allow uploads first/);
    signInStore.setState({ status: 'in', name: 'ada', scopes: ['contribute-repos'], note: null });
    await expect.element(confirm).not.toHaveAttribute('aria-disabled');
  });

  it('repeats what the sources’ licences ask for', async () => {
    await makeExport();
    const preflight = preflightOf(groupOf(['a', 'b']));
    const finding = { level: 'warning', topic: 'licence', names: [], moreNames: 0 } as const;
    const title = 'The licence of A, cc-by-nc-4.0, is known to ask to limit commercial use.';
    sourcesStore.setState({
      preflight: { ...preflight, findings: [{ ...finding, title, detail: 'Look at it.' }] },
    });
    await userEvent.click(button('Upload to the Hub…'));
    const licences = dialog().getByRole('list', { name: 'Licences of the sources' });
    await expect.element(licences).toHaveTextContent(`${title} Look at it.`);
  });
});

describe('the dtypes', () => {
  it('are part of the recipe of full fine-tunes, and their change computes anew', async () => {
    await computeAll();
    const values = page.getByRole('combobox', { name: 'Dtype of kept values' });
    await expect.element(values).toHaveValue('F16');
    await userEvent.selectOptions(values, '8-bit integers, one scale a tensor');
    expect(worker.last().recipe).toMatchObject({ valueDtype: 'I8', mergedDtype: null });
    const merged = page.getByRole('combobox', { name: 'Merged dtype' });
    await expect
      .element(merged.getByRole('option', { selected: true }))
      .toHaveTextContent('As the base (F32)');
    await userEvent.selectOptions(merged, 'BF16');
    expect(worker.last().recipe).toMatchObject({ valueDtype: 'I8', mergedDtype: 'BF16' });
    await userEvent.selectOptions(merged, 'As the base (F32)');
    expect(worker.last().recipe).toMatchObject({ mergedDtype: null });
  });

  it('are not asked of adapters', async () => {
    await computeAll(adapterGroupOf(['a', 'b']));
    await expect.element(page.getByRole('combobox', { name: 'Rank chosen by' })).toBeVisible();
    expect(page.getByRole('combobox', { name: 'Dtype of kept values' }).elements()).toHaveLength(0);
    expect(page.getByRole('combobox', { name: 'Merged dtype' }).elements()).toHaveLength(0);
  });
});

describe('a narrow page', () => {
  const { innerWidth, innerHeight } = window;
  afterEach(() => page.viewport(innerWidth, innerHeight));

  it('is no wider than its files and its dialog, and keeps Cancel in view', async () => {
    await page.viewport(360, 740);
    await makeExport();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
    await userEvent.click(button('Upload to the Hub…'));
    await expect.element(dialog()).toBeVisible();
    const { left, right } = dialog().element().getBoundingClientRect();
    expect(left).toBeGreaterThanOrEqual(0);
    expect(right).toBeLessThanOrEqual(360);
    await userEvent.keyboard('{Escape}');
    await userEvent.click(button('Download all'));
    const { top, bottom } = button('Cancel').element().getBoundingClientRect();
    expect(top).toBeGreaterThanOrEqual(0);
    expect(bottom).toBeLessThanOrEqual(740);
  });
});
