import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Locator, type Page, expect } from '@playwright/test';

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

  get openReposButton(): Locator {
    return this.page.getByRole('button', { name: 'Open these repos' });
  }

  /** Names repos of the Hub in use; nothing is opened. */
  async addFromHub(text: string): Promise<void> {
    await this.repoField.fill(text);
    await this.page.getByRole('button', { name: 'Add from Hub' }).click();
  }

  async openRepos(...repos: readonly string[]): Promise<void> {
    await this.addFromHub(repos.join(' '));
    await this.openReposButton.click();
  }

  async giveToken(token: string): Promise<void> {
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

  async waitDone(timeout = 110_000): Promise<void> {
    await expect(this.status).toHaveText(/^Done/, { timeout });
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

  /** Takes what `Download results` hands out. */
  async results(): Promise<ResultsFile> {
    const download = this.page.waitForEvent('download');
    await this.page.getByRole('button', { name: 'Download results' }).click();
    const stream = await (await download).createReadStream();
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as ResultsFile;
  }
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
