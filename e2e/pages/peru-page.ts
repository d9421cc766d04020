import { Buffer } from 'node:buffer';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Locator, type Page, expect } from '@playwright/test';
import { readZip } from './read-zip';

/** A file as a visitor would add it. */
export interface FixtureFile {
  /** Its name, or its path inside the folder that `addFolder` adds. */
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** The page as its visitors meet it: roles and names of docs/ARCHITECTURE.md, "The page". */
export class PeruPage {
  readonly page: Page;
  /** Console errors and failed requests: a healthy journey leaves none. */
  readonly faults: string[] = [];
  readonly requestedOrigins = new Set<string>();
  readonly #folders: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http')) this.requestedOrigins.add(origin);
    });
  }

  async open(query = ''): Promise<void> {
    await this.page.goto(`./${query}`);
  }

  get alert(): Locator {
    return this.page.getByRole('alert');
  }

  get status(): Locator {
    return this.page.getByRole('status');
  }

  get keptSlider(): Locator {
    return this.page.getByRole('slider', { name: 'Kept entries m (%)' });
  }

  get keptField(): Locator {
    return this.page.getByRole('spinbutton', { name: 'Kept entries m (%)' });
  }

  get rankSlider(): Locator {
    return this.page.getByRole('slider', { name: 'Rank q' });
  }

  get rankField(): Locator {
    return this.page.getByRole('spinbutton', { name: 'Rank q' });
  }

  get rankMode(): Locator {
    return this.page.getByRole('combobox', { name: 'Rank chosen by' });
  }

  /** What the ranks keep, following the slider: bytes in all, triplets of how many. */
  get keptTriplets(): Locator {
    return this.page.getByText(/in all: [\d,]+ of [\d,]+ triplets/);
  }

  get spectraMap(): Locator {
    return this.page.getByRole('img', { name: /^Singular values by module/ });
  }

  get accuracyTable(): Locator {
    return this.page.getByRole('table', { name: 'Accuracy by task' });
  }

  get storageTable(): Locator {
    return this.page.getByRole('table', { name: 'Storage' });
  }

  get repoField(): Locator {
    return this.page.getByRole('textbox', { name: 'Hugging Face repo' });
  }

  /** Repos named so far, opened or not. */
  get repos(): Locator {
    return this.page.getByRole('list', { name: 'Repos to open' }).getByRole('listitem');
  }

  /** Shows all ways to add sources and to take them away; nothing where they are in view. */
  async unfoldSources(): Promise<void> {
    const name = /^(Change|More sources)$/;
    const folded = this.page.getByRole('button', { name, expanded: false });
    if (await folded.isVisible()) await folded.click();
  }

  get openReposButton(): Locator {
    return this.page.getByRole('button', { name: 'Open these repos' });
  }

  /** Names repos of the Hub in use; nothing is opened. */
  async addFromHub(text: string): Promise<void> {
    await this.unfoldSources();
    await this.repoField.fill(text);
    await this.page.getByRole('button', { name: 'Add from Hub' }).click();
  }

  async openRepos(...repos: readonly string[]): Promise<void> {
    await this.addFromHub(repos.join(' '));
    await this.openReposButton.click();
  }

  async giveToken(token: string): Promise<void> {
    await this.unfoldSources();
    const field = this.page.getByLabel('Access token');
    if (!(await field.isVisible())) await this.page.getByText('Private or gated repos').click();
    await field.fill(token);
  }

  /** Begins what the report describes; absent where nothing large would move. */
  get startButton(): Locator {
    return this.page.getByRole('button', { name: 'Start', exact: true });
  }

  async start(): Promise<void> {
    await this.startButton.click();
  }

  /** Plans again with so many gigabytes of device memory. */
  async setBudgetGigabytes(gigabytes: number): Promise<void> {
    const field = this.page.getByRole('spinbutton', { name: /^Memory budget/ });
    await field.fill(String(gigabytes));
    await field.press('Enter');
  }

  /** Leaves tensors of such names as the base has them; plans again. */
  async exclude(patterns: string): Promise<void> {
    const field = this.page.getByRole('textbox', { name: 'Exclude names' });
    await field.fill(patterns);
    await field.blur();
  }

  async tryAgain(): Promise<void> {
    await this.page.getByRole('button', { name: 'Try again' }).click();
  }

  async addFiles(files: FixtureFile[]): Promise<void> {
    await this.page.getByLabel('Add checkpoint files').setInputFiles(files);
  }

  /** Adds one folder that holds these files, by the folder dialogue. */
  async addFolder(files: readonly FixtureFile[]): Promise<void> {
    const parent = await mkdtemp(join(tmpdir(), 'peru-'));
    this.#folders.push(parent);
    const folder = join(parent, 'added');
    for (const { name, buffer } of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), buffer);
    }
    await this.page.getByLabel('Add a checkpoint folder').setInputFiles(folder);
  }

  /** Removes the folders added: the page reads them for as long as it is open. */
  async dispose(): Promise<void> {
    for (const folder of this.#folders) await rm(folder, { recursive: true });
  }

  async waitDone(): Promise<void> {
    await expect(this.status).toHaveText(/^Done/);
  }

  /** The percentage a cell shows first; NaN where it is not computed yet. */
  async percent(row: string, columnPattern: RegExp): Promise<number> {
    const headers = await this.accuracyTable.getByRole('columnheader').allInnerTexts();
    const column = headers.findIndex((text) => columnPattern.test(text));
    expect(
      column,
      `a column like ${columnPattern.source} in ${headers.join(' | ')}`,
    ).toBeGreaterThan(0);
    const tableRow = this.accuracyTable.getByRole('row').filter({
      has: this.page.getByRole('rowheader', { name: row }),
    });
    const cell = await tableRow
      .getByRole('cell')
      .nth(column - 1)
      .innerText();
    return Number.parseFloat(cell);
  }

  /** Percentage, interval and n that a column shows, row by row; empty where nothing is yet. */
  async column(pattern: RegExp): Promise<readonly string[]> {
    const headers = await this.accuracyTable.getByRole('columnheader').allInnerTexts();
    const column = headers.findIndex((text) => pattern.test(text));
    const rows = await this.accuracyTable.locator('tr:has(td)').all();
    const cells = rows.map((row) =>
      row
        .getByRole('cell')
        .nth(column - 1)
        .innerText(),
    );
    return (await Promise.all(cells)).map((text) => {
      const [, percent = '', basis = ''] = SCORE.exec(text) ?? [];
      return `${percent} ${basis}`;
    });
  }

  /** Takes what `Download results` hands out. */
  async results(): Promise<ResultsFile> {
    const { bytes } = await this.#download('Download results');
    return JSON.parse(bytes.toString('utf8')) as ResultsFile;
  }

  get exportButton(): Locator {
    return this.page.getByRole('button', { name: 'Export', exact: true });
  }

  get exportPanel(): Locator {
    return this.page.getByRole('region', { name: 'Export', exact: true });
  }

  get exportedFiles(): Locator {
    return this.page.getByRole('list', { name: 'Exported files' }).getByRole('listitem');
  }

  get uploadDialog(): Locator {
    return this.page.getByRole('dialog', { name: /^Upload to / });
  }

  /** Makes the files and reads what the page lists of them. */
  async export(): Promise<readonly ListedFile[]> {
    await this.exportButton.click();
    await expect(this.status).toHaveText(/^Done .* made and read back$/);
    return this.listedFiles();
  }

  async listedFiles(): Promise<readonly ListedFile[]> {
    return this.exportedFiles.evaluateAll(listedFilesOf);
  }

  /** Takes one file of the export, with the name it is saved under. */
  async downloadFile(path: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
    return this.#download(`Download ${path}`);
  }

  /** Takes the zip of all files; its entries by path. */
  async downloadAll(): Promise<ReadonlyMap<string, Buffer>> {
    const { name, bytes } = await this.#download('Download all');
    expect(name).toBe('peru-export.zip');
    return readZip(bytes);
  }

  /** Fills the dialog in; the last button is left to the caller. */
  async fillUpload(repo: string, token: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Upload to the Hub…' }).click();
    await this.uploadDialog.getByRole('textbox', { name: /^Repo to make/ }).fill(repo);
    await this.uploadDialog.getByLabel(/^Access token that may write/).fill(token);
  }

  async upload(repo: string, token: string): Promise<void> {
    await this.fillUpload(repo, token);
    await this.uploadDialog.getByRole('button', { name: `files to ${repo}` }).click();
  }

  /** Names of what lies in the browser's own storage of exports. */
  async storedExports(): Promise<readonly string[]> {
    return this.page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const names: string[] = [];
      try {
        const exports = await root.getDirectoryHandle('exports');
        for await (const name of exports.keys()) names.push(name);
      } catch {
        // Nothing was ever exported.
      }
      return names;
    });
  }

  async #download(button: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
    const coming = this.page.waitForEvent('download');
    await this.page.getByRole('button', { name: button, exact: true }).click();
    const download = await coming;
    const parts: Buffer[] = [];
    for await (const part of await download.createReadStream()) parts.push(part as Buffer);
    return { name: download.suggestedFilename(), bytes: Buffer.concat(parts) };
  }
}

/** `87.5 %`, then `84.4–90.1 · n 512` or `n 4,096`. */
const SCORE = /(-?[\d.]+\s%)[\s\S]*?((?:\S+\s·\s)?n\s[\d,]+)/;

/** Runs in the page: what the rows of an export's list say. */
export function listedFilesOf(rows: readonly Element[]): readonly ListedFile[] {
  return rows.map((row) => {
    const buttons = [...row.querySelectorAll('button')];
    const title = row.querySelector('[title$=" bytes"]')?.getAttribute('title') ?? '';
    return {
      path: (buttons.at(-1)?.textContent ?? '').replace(/^Download /, ''),
      bytes: Number(title.replace(/\D/g, '')),
      sha256: buttons[0]?.title ?? '',
    };
  });
}

/** A file as the page lists it. */
export interface ListedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ResultsFile {
  readonly peru: number;
  readonly engine: string;
  readonly adapter: Record<string, unknown>;
  readonly recipe: Record<string, unknown>;
  readonly tasks: readonly {
    readonly name: string;
    readonly metric: string;
    readonly n: number;
    readonly scores: Readonly<Record<string, number>>;
  }[];
  readonly average: Readonly<Record<string, number>>;
  readonly storage: readonly {
    readonly method: string;
    readonly files: readonly { readonly name: string; readonly bytes: number }[];
    readonly bytes: number;
  }[];
  readonly seconds: Readonly<Record<string, number>>;
  readonly memory: {
    readonly mode: string;
    readonly plannedBytes: number;
    readonly peakBytes: number;
  };
}
