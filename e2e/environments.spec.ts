import { createReadStream, existsSync, statSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { chromium } from '@playwright/test';
import { CHROMIUM_FLAGS, chromiumPath } from '../scripts/chromium.mjs';
import { expect, test } from './fixtures';
import { PeruPage } from './pages/peru-page';
import { closeWhenStill } from './pages/stillness';
import { shortenZoo } from './short-zoo';

test('where WebGPU has no adapter the processor takes over, and a banner says why', async () => {
  const flags = CHROMIUM_FLAGS.filter((flag) => !/webgpu/.test(flag));
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [...flags, '--disable-gpu'],
  });
  try {
    const peru = new PeruPage(await browser.newPage({ baseURL: test.info().project.use.baseURL! }));
    closeWhenStill(peru.page.context());
    await shortenZoo(peru.page.context(), 'short');
    await peru.open('?demo=fft');
    await expectProcessor(peru, /found no adapter/);
  } finally {
    await browser.close();
  }
});

test('where the adapter refuses a device the processor takes over, and a banner says why', async ({
  peru,
  page,
}) => {
  await page.route(/\/peru-worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${REFUSE_DEVICES}\n${await response.text()}` });
  });
  await peru.open('?demo=fft');
  await expectProcessor(peru, /refused to open a device/);
});

test('the visitor chooses what computes, for good; a link, for a visit', async ({ peru, page }) => {
  await shortenZoo(page.context(), 'short');
  await peru.open('?demo=fft');
  const choice = page.getByRole('combobox', { name: 'Compute on' });
  await expect(choice).toHaveValue('auto');
  await peru.waitDone();
  const onProcessor = await peru.results();
  expect(onProcessor.engine).toBe('processor');
  await choice.selectOption('GPU');
  await expect(page.getByRole('banner')).toContainText(/merging on .*a software adapter/);
  await peru.waitDone();
  const onGpu = await peru.results();
  expect(onGpu.engine).toBe('webgpu');
  // Merged and compressed alike, bit for bit, so scored alike.
  expect(onGpu.average).toEqual(onProcessor.average);
  await page.reload();
  await expect(choice).toHaveValue('gpu');
  await peru.open('?demo=fft&engine=processor');
  await expect(choice).toHaveValue('processor');
  await peru.waitDone();
  await expect.poll(() => new URL(page.url()).searchParams.get('engine')).toBe('processor');
  await choice.selectOption('Automatic');
  await peru.waitDone();
  await expect.poll(() => new URL(page.url()).searchParams.get('engine')).toBeNull();
  expect(peru.faults).toEqual([]);
});

test('a thread that can not start is told of, and the next try starts others', async ({
  peru,
  page,
}) => {
  await shortenZoo(page.context(), 'short');
  const script = /\/processor-thread-[^/]*\.js$/;
  await page.route(script, (route) => route.abort());
  await peru.open('?demo=fft&engine=processor');
  await expect(peru.alert).toContainText(/thread that computes ended/);
  await page.unroute(script);
  await page.getByRole('button', { name: 'Try again' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});

test('a lost GPU is reported and the job starts again on a new device', async ({
  peru,
  browser,
}) => {
  await peru.open('?demo=fft&engine=gpu');
  await expect(peru.status).toHaveText(/scoring/i);
  const devtools = await browser.newBrowserCDPSession();
  await devtools.send('Browser.crashGpuProcess');
  await expect(peru.alert).toContainText(/GPU/);
  await peru.page.getByRole('button', { name: 'Try again' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  expect((await peru.results()).engine).toBe('webgpu');
});

test('works from a plain static host under a sub-path, without isolation headers', async ({
  page,
}) => {
  const server = await servePlainly('/some/where/');
  try {
    const peru = new PeruPage(page);
    await page.goto(
      `http://localhost:${(server.address() as AddressInfo).port}/some/where/?demo=fft`,
    );
    await peru.waitDone();
    expect(await peru.percent('Average', /PERU-FFT/)).toBeGreaterThan(0);
    expect(peru.faults).toEqual([]);
  } finally {
    server.close();
  }
});

/** Runs in the worker, before anything of Peru's. */
const REFUSE_DEVICES = `
  GPUAdapter.prototype.requestDevice = () =>
    Promise.reject(new DOMException('Refused.', 'OperationError'));
`;

/** The demo to its end without the GPU, under a banner that says why. */
async function expectProcessor(peru: PeruPage, why: RegExp): Promise<void> {
  await peru.waitDone();
  const banner = peru.page.getByRole('banner');
  await expect(banner).toContainText(why);
  await expect(banner).toContainText(/processor .* To use the GPU, /);
  const results = await peru.results();
  expect(results.engine).toBe('processor');
  expect(results.average['peru-fft@10']).toBeGreaterThan(results.average['merged']!);
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** A host that only hands out files: no headers but the type, no fallback page. */
function servePlainly(prefix: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = normalize(pathname.slice(prefix.length)) || '.';
    const file = join('dist', path === '.' ? 'index.html' : path);
    if (!pathname.startsWith(prefix) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, () => {
      resolve(server);
    });
  });
}
