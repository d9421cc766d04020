import { type Buffer } from 'node:buffer';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@playwright/test';
import { type Browser, type KeyInput, type Page } from 'puppeteer-core';
import { type ListedFile, type ResultsFile, listedFilesOf } from '../pages/peru-page';
import { readZip } from '../pages/read-zip';

/** Far more than any one step of a job takes on a busy machine. */
const STILL_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** The page as its visitors meet it in Firefox: what PeruPage is to Playwright's browsers. */
export class FirefoxPage {
  /** Errors of the page and on its console, and failed requests: a healthy journey leaves none. */
  readonly faults: string[] = [];
  readonly requestedOrigins = new Set<string>();

  private constructor(
    readonly page: Page,
    private readonly address: string,
    /** Asks for the GPU, which here is a software adapter, in place of the processor. */
    private readonly webgpu: boolean,
    /** Where its downloads go, and files that are dropped on it come from. */
    private readonly folder: string,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('requestfailed', (request) => {
      // The page itself stops reading an answer that it does not need, such as a host's page of its
      // own in the place of a file that is not there.
      const reason = request.failure()?.errorText ?? '';
      if (request.response() !== null || /ABORTED/.test(reason)) return;
      this.faults.push(`${request.url()} failed: ${reason}`);
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http')) this.requestedOrigins.add(origin);
    });
  }

  /** A page in a context of its own: no other journey's storage. */
  static async create(browser: Browser, address: string, webgpu: boolean): Promise<FirefoxPage> {
    const folder = await mkdtemp(join(tmpdir(), 'peru-firefox-'));
    const downloadBehavior = { policy: 'allow', downloadPath: folder } as const;
    const context = await browser.createBrowserContext({ downloadBehavior });
    return new FirefoxPage(await context.newPage(), address, webgpu, folder);
  }

  async dispose(): Promise<void> {
    await this.page.browserContext().close();
    await rm(this.folder, { recursive: true });
  }

  async open(query = ''): Promise<void> {
    const url = new URL(query, this.address);
    if (this.webgpu) url.searchParams.set('engine', 'gpu');
    await this.page.goto(url.href);
  }

  get link(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }

  async status(): Promise<string> {
    return this.#text('[role=status]');
  }

  /** What computes, what scores and, where it is not the GPU, why. */
  async header(): Promise<string> {
    return this.#text('header');
  }

  /** Waits for the end of the work, for as long as something moves on the page. */
  async waitDone(): Promise<void> {
    let shown = '';
    let movedAt = performance.now();
    for (;;) {
      const status = await this.status();
      if (status.startsWith('Done')) return;
      const alert = await this.#text('[role=alert]');
      if (alert !== '') throw new Error(`The page says: ${alert}`);
      const now = await this.#everything();
      if (now !== shown) movedAt = performance.now();
      shown = now;
      const stillMs = performance.now() - movedAt;
      if (stillMs > STILL_MS) throw new Error(`Nothing moved for ${STILL_MS} ms: ${status}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async click(name: string): Promise<void> {
    await this.page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
  }

  /** Moves a slider as its visitors do who use no mouse; tells where its number field stands then. */
  async pressOnSlider(name: string, keys: readonly KeyInput[]): Promise<number> {
    await this.page.focus(`::-p-aria([name="${name}"][role="slider"])`);
    for (const key of keys) await this.page.keyboard.press(key);
    const field = `::-p-aria([name="${name}"][role="spinbutton"])`;
    return this.page.$eval(field, (input) => Number((input as HTMLInputElement).value));
  }

  /** The percentage of the last row, `Average`, in a column; NaN where it does not stand (yet). */
  async average(column: string): Promise<number> {
    const rows = await this.page.$$eval('::-p-aria([name="Accuracy by task"]) tr', (all) =>
      all.map((row) => [...row.querySelectorAll<HTMLElement>('th, td')].map((c) => c.innerText)),
    );
    const index = rows[0]?.findIndex((text) => text.includes(column)) ?? -1;
    return Number.parseFloat(rows.at(-1)?.[index] ?? '');
  }

  /** Takes what `Download results` hands out. */
  async results(): Promise<ResultsFile> {
    const { bytes } = await this.#download('Download results');
    return JSON.parse(bytes.toString('utf8')) as ResultsFile;
  }

  /** Makes the files and reads what the page lists of them. */
  async export(): Promise<readonly ListedFile[]> {
    await this.click('Export');
    await expect.poll(() => this.status()).toMatch(/^Done .* made and read back$/);
    return this.page.$$eval('::-p-aria([name="Exported files"]) li', listedFilesOf);
  }

  /** Takes the zip of all files; its entries by path. */
  async downloadAll(): Promise<ReadonlyMap<string, Buffer>> {
    const { name, bytes } = await this.#download('Download all');
    expect(name).toBe('peru-export.zip');
    return readZip(bytes);
  }

  /**
   * Drops files of the disk on the page. BiDi moves no system drag and gives an input files only: the
   * event is made here, its files and their entries are Firefox's own.
   */
  async drop(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const paths = [...files.keys()].map((name) => join(this.folder, name));
    for (const [name, bytes] of files) await writeFile(join(this.folder, name), bytes);
    const input = await this.page.evaluateHandle(() => {
      const chosen = document.body.appendChild(document.createElement('input'));
      chosen.type = 'file';
      chosen.multiple = true;
      return chosen;
    });
    await input.uploadFile(...paths);
    await input.evaluate((chosen) => {
      const dataTransfer = new DataTransfer();
      for (const file of chosen.files!) dataTransfer.items.add(file);
      chosen.remove();
      const target = document.querySelector('h1')!;
      const drag = { dataTransfer, bubbles: true, cancelable: true };
      target.dispatchEvent(new DragEvent('dragenter', drag));
      target.dispatchEvent(new DragEvent('drop', drag));
    });
  }

  /** Takes what a button makes the browser save, out of the folder of downloads. */
  async #download(button: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
    const before = await readdir(this.folder);
    const saved = async () => {
      const names = (await readdir(this.folder)).filter((name) => !before.includes(name));
      return names.some((name) => name.endsWith('.part')) ? [] : names;
    };
    await this.click(button);
    await expect.poll(saved).toHaveLength(1);
    const [name] = await saved();
    const bytes = await readFile(join(this.folder, name!));
    await rm(join(this.folder, name!));
    return { name: name!, bytes };
  }

  #text(selector: string): Promise<string> {
    return this.page.evaluate(
      (wanted) => document.querySelector<HTMLElement>(wanted)?.innerText ?? '',
      selector,
    );
  }

  #everything(): Promise<string> {
    return this.page.evaluate(() => {
      const bars = [...document.querySelectorAll('progress')].map(({ value }) => value);
      return `${bars.join()} ${document.body.innerText}`;
    });
  }
}
