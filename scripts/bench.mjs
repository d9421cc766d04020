// npm run bench [-- --quick] [-- --only kernels|peers] [-- --json FILE] [-- --scale]: kernels against
// a copy on the same adapter, in Node and in Chromium; then whole jobs and evaluation against other
// programs. With --scale instead: groups of real size from a Hub on this machine, through the built page.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { benchPeers } from '../bench/peers/peers.mjs';
import { Records } from '../bench/records.mjs';
import { benchScale } from '../bench/scale/scale.mjs';
import { build, ensureChromium, ensurePackages, main, ROOT } from './setup.mjs';

const JOB_TIMEOUT_MS = 30 * 60_000;
/** Exit status of bench/node.ts where Dawn finds no adapter. */
const NO_ADAPTER = 3;
/** The software Vulkan (loader and driver) of Debian's Chromium, for machines without another. */
const CHROMIUM_LIBRARIES = '/usr/lib/chromium';
const SOFTWARE_VULKAN = `${CHROMIUM_LIBRARIES}/vk_swiftshader_icd.json`;

await main(async () => {
  const { quick, only, scale, json } = readArguments();
  ensurePackages();
  const executablePath = ensureChromium();
  const records = new Records();
  if (scale) {
    await benchGrowth(records, quick);
    build();
    await benchScale({ quick, executablePath });
    if (json) records.write(json);
    return;
  }
  const runInNode = (bundle, args) => benchInNode(records, bundle, args);
  const runInChromium = (served) => benchInChromium(records, executablePath, served);
  if (only !== 'peers') await benchKernels({ quick, runInNode, runInChromium });
  if (only !== 'kernels') {
    console.log('\nOther programs on this machine');
    await benchPeers({ quick, records, runInNode, runInChromium });
  }
  if (json) records.write(json);
});

function readArguments() {
  const flag = { type: 'boolean', default: false };
  const text = { type: 'string' };
  const options = { quick: flag, scale: flag, only: text, json: text };
  const { values } = parseArgs({ options });
  if (values.only !== undefined && !['kernels', 'peers'].includes(values.only)) {
    throw new Error(`--only takes kernels or peers, not ${values.only}.`);
  }
  return values;
}

async function benchKernels({ quick, runInNode, runInChromium }) {
  await buildBench();
  console.log('\nDawn in Node');
  runInNode('dist-bench/node/node.js', quick ? ['--quick'] : []);
  console.log('\nChromium');
  await runInChromium({ outDir: 'dist-bench/page', path: `bench/${quick ? '?quick' : ''}` });
}

/** The processor's time by tasks and parameters. */
async function benchGrowth(records, quick) {
  const { build: bundle } = await import('vite');
  const outDir = 'dist-bench/growth';
  const input = {
    growth: 'bench/growth.ts',
    'processor-thread': 'src/platform/node/processor-thread.ts',
  };
  const options = { ssr: true, outDir, rolldownOptions: { input } };
  await bundle({ root: ROOT, logLevel: 'warn', publicDir: false, build: options });
  benchInNode(records, `${outDir}/growth.js`, quick ? ['--quick'] : []);
}

async function buildBench() {
  const { build: bundle } = await import('vite');
  const shared = { root: ROOT, logLevel: 'warn', publicDir: false };
  await bundle({ ...shared, build: { ssr: 'bench/node.ts', outDir: 'dist-bench/node' } });
  const rolldownOptions = { input: `${ROOT}bench/index.html` };
  await bundle({ ...shared, build: { rolldownOptions, outDir: 'dist-bench/page' } });
}

/** Runs a bundle that computes through Dawn, on the software Vulkan where there is no other. */
function benchInNode(records, bundle, args) {
  const attempt = (env) => {
    const { status, stdout } = spawnSync(process.execPath, [ROOT + bundle, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    records.takeAll(stdout ?? '');
    return status;
  };
  let status = attempt({});
  if (status === NO_ADAPTER && existsSync(SOFTWARE_VULKAN)) {
    status = attempt({ VK_ICD_FILENAMES: SOFTWARE_VULKAN, LD_LIBRARY_PATH: CHROMIUM_LIBRARIES });
  }
  if (status === NO_ADAPTER) console.log('Dawn finds no adapter on this machine.');
  else if (status !== 0) throw new Error(`The bench in Node ended with status ${status}.`);
}

/** Serves a built page and takes what it logs. */
async function benchInChromium(records, executablePath, { outDir, path, plugins = [] }) {
  const { chromium } = await import('playwright');
  const { preview } = await import('vite');
  const { CHROMIUM_FLAGS } = await import('./chromium.mjs');
  const server = await preview({
    root: ROOT,
    logLevel: 'warn',
    build: { outDir },
    plugins,
    preview: { port: 0 },
  });
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  try {
    const { port } = server.httpServer.address();
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/${path}`);
    const status = page.getByRole('status').filter({ hasNotText: 'Running' });
    await status.waitFor({ timeout: JOB_TIMEOUT_MS });
    records.takeAll(await page.getByRole('log').innerText());
    const outcome = await status.innerText();
    if (outcome !== 'Done') throw new Error(outcome);
  } finally {
    await browser.close();
    await server.close();
  }
}
