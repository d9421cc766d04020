// The benches against other programs on the same machine, each where it is installed.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, normalize } from 'node:path';
import { ROOT } from '../../scripts/setup.mjs';
import { findPeers } from './find-peers.mjs';

const HOW = 'bench/peers/README.md says how; PERU_PEERS names the folder.';
const MODELS_URL = '/peer-models';
const TASKS = 8;
const LAMBDA = 0.3;
const KEPT_PERCENT = 10;

/**
 * Prints how Peru does beside transformers.js, torch and mergekit.
 *
 * @param {object} options
 * @param {boolean} options.quick small models
 * @param {(bundle: string, args: string[]) => void} options.runInNode runs a bundle with an adapter
 * @param {(page: object) => Promise<void>} options.runInChromium serves a built page and prints its log
 */
export async function benchPeers({ quick, runInNode, runInChromium }) {
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
  await benchJob({ ...peers, group: join(models, quick ? 'group-quick' : 'group'), runInNode });
  runTorch(peers.python, 'svd_dense.py');
}

/** Runs one of the scripts here; it prints its own line. */
function runTorch(python, script, args = []) {
  const { status } = spawnSync(python, [`${ROOT}bench/peers/${script}`, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`${script} ended with status ${status}.`);
}

function makeModels(python, models, quick) {
  mkdirSync(models, { recursive: true });
  const script = `${ROOT}bench/peers/make_models.py`;
  const args = [script, models, `${ROOT}public/zoo`, ...(quick ? ['--quick'] : [])];
  const { status, stderr } = spawnSync(python, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`make_models.py ended with status ${status}:\n${stderr}`);
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

/** Files on disk to theta* and eight sparse vectors in memory; mergekit: to theta* on disk. */
async function benchJob({ folder, python, mergekit, group, runInNode }) {
  const { build } = await import('vite');
  const outDir = 'dist-bench/peers-node';
  const input = {
    'job-node': 'bench/peers/job-node.ts',
    'job-processor': 'bench/peers/job-processor.ts',
    'processor-thread': 'src/platform/node/processor-thread.ts',
  };
  const bundle = { ssr: true, outDir, rolldownOptions: { input } };
  await build({ root: ROOT, logLevel: 'warn', publicDir: false, build: bundle });
  const recipe = [String(LAMBDA), String(KEPT_PERCENT)];
  const mergedFile = join(folder, 'merged.safetensors');
  runProcessor(`${outDir}/job-processor.js`, [group, ...recipe, mergedFile]);
  rmSync(mergedFile, { force: true });
  runInNode(`${outDir}/job-node.js`, [group, ...recipe]);
  runTorch(python, 'merge_prune.py', [group, ...recipe]);
  if (mergekit === null) console.log(`mergekit: not installed. ${HOW}`);
  else runMergekit({ mergekit, group, workFolder: join(folder, 'mergekit') });
}

/** Needs no adapter. */
function runProcessor(bundle, args) {
  const { status } = spawnSync(process.execPath, [ROOT + bundle, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`${bundle} ended with status ${status}.`);
}

function runMergekit({ mergekit, group, workFolder }) {
  rmSync(workFolder, { recursive: true, force: true });
  mkdirSync(workFolder, { recursive: true });
  const base = join(group, 'base.safetensors');
  const models = Array.from({ length: TASKS }, (_, task) => ({
    model: join(group, `task-${task}.safetensors`),
    parameters: { weight: LAMBDA },
  }));
  const config = join(workFolder, 'merge.yml');
  const recipe = { merge_method: 'task_arithmetic', base_model: base, models, dtype: 'float32' };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ ...recipe, out_dtype: 'float16' }));
  const start = performance.now();
  const args = [config, join(workFolder, 'merged'), '--no-copy-tokenizer', '--no-write-model-card'];
  const { status, stderr } = spawnSync(mergekit, args, { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  rmSync(workFolder, { recursive: true, force: true });
  if (status !== 0) throw new Error(`mergekit ended with status ${status}:\n${stderr}`);
  console.log(
    `mergekit task_arithmetic on the CPU: ${seconds.toFixed(1)} s from files to a merged file, ` +
      'its start included; nothing is pruned',
  );
}
