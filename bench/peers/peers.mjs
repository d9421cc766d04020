// The benches against other programs on the same machine, each where it is installed.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, normalize } from 'node:path';
import { ROOT } from '../../scripts/setup.mjs';
import { findPeers } from './find-peers.mjs';
import { benchJobs, benchLarge, benchLoras } from './jobs.mjs';

const HOW = 'bench/peers/README.md says how; PERU_PEERS names the folder.';
const MODELS_URL = '/peer-models';
/** Of each program. */
const RUNS = 5;

/**
 * Prints how Peru does beside transformers.js, torch and mergekit.
 *
 * @param {object} options
 * @param {boolean} options.quick small models, once
 * @param {import('../records.mjs').Records} options.records
 * @param {(bundle: string, args: string[]) => void} options.runInNode runs a bundle with an adapter
 * @param {(page: object) => Promise<void>} options.runInChromium serves a built page and prints its log
 */
export async function benchPeers({ quick, records, runInNode, runInChromium }) {
  const peers = findPeers();
  console.log(`${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores`);
  if (peers.python === null) {
    console.log(`torch, transformers.js, mergekit: not installed. ${HOW}`);
    return;
  }
  const models = join(peers.folder, 'models');
  makeModels(peers.python, models, quick);
  if (peers.nodeModules === null) {
    console.log(`transformers.js: not installed. ${HOW}`);
  } else {
    await benchEvaluation({ models, nodeModules: peers.nodeModules, quick, runInChromium });
  }
  const group = join(models, quick ? 'group-quick' : 'group');
  await benchJobs({ ...peers, group, runs: quick ? 1 : RUNS, records, runInNode });
  benchLoras({
    python: peers.python,
    files: makeLoraFiles(peers.python, join(models, 'loras'), quick),
    work: join(peers.folder, 'lora-files'),
    records,
  });
  if (quick) return;
  benchLarge({ python: peers.python, group: join(models, 'group-large'), records });
}

function makeModels(python, models, quick) {
  mkdirSync(models, { recursive: true });
  const script = `${ROOT}bench/peers/make_models.py`;
  const args = [script, models, `${ROOT}public/zoo`, ...(quick ? ['--quick'] : [])];
  const { status, stderr } = spawnSync(python, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`make_models.py ended with status ${status}:\n${stderr}`);
}

/** @returns {string[]} of two ranks, 722 modules each */
function makeLoraFiles(python, folder, quick) {
  const script = `${ROOT}bench/peers/make_lora_files.py`;
  return (quick ? [16] : [16, 128]).map((rank) => {
    const args = [script, folder, '--rank', String(rank), ...(quick ? ['--blocks', '1'] : [])];
    const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`make_lora_files.py ended with status ${status}:\n${stderr}`);
    return stdout.trim();
  });
}

/** Builds the page with transformers.js in it and runs it where the models are served. */
async function benchEvaluation({ models, nodeModules, quick, runInChromium }) {
  const { build } = await import('vite');
  const outDir = 'dist-bench/peers-page';
  const alias = {
    '@': `${ROOT}src`,
    'peer:transformers': join(nodeModules, '@huggingface/transformers/dist/transformers.web.js'),
    'peer:onnxruntime': join(nodeModules, 'onnxruntime-web/dist'),
  };
  await build({
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias },
    build: { outDir, rolldownOptions: { input: `${ROOT}bench/peers/index.html` } },
  });
  const asked = [
    ...(quick ? ['quick'] : []),
    ...(process.env.PERU_ADAPTER === 'default' ? ['webgpu'] : []),
  ];
  const path = `bench/peers/?${asked.join('&')}`;
  await runInChromium({ outDir, path, plugins: [serveFolder(MODELS_URL, models)] });
}

/** A Vite plugin: answers requests under `url` with the files of a folder. */
function serveFolder(url, folder) {
  return {
    name: 'peru:serve-folder',
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use(url, (request, response, next) => {
        const file = join(folder, normalize(decodeURI(request.url.split('?')[0])));
        if (file.startsWith(folder) && existsSync(file)) createReadStream(file).pipe(response);
        else next();
      });
    },
  };
}
