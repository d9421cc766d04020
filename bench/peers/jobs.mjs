// Whole jobs of Peru and of other programs, in turn, so that all meet the same machine.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../../scripts/setup.mjs';

const TASKS = 8;
const LAMBDA = 0.3;
const KEPT_PERCENT = 10;
const RECIPE = [String(LAMBDA), String(KEPT_PERCENT)];
const TORCH_JOB = `${ROOT}bench/peers/merge_prune.py`;
/** Matrices of Flan-T5-base that eight adapters change (../made-up-products.ts). */
const MATRICES = 576;
/** What Peru may hold of the large group. */
const BUDGET_BYTES = 3 * 2 ** 30;
/** What Peru may hold of LoRA files, and the rank they are cut to. */
const LORA_BUDGET_BYTES = 4 * 2 ** 30;
const LORA_RANK = 8;
const OUT_DIR = 'dist-bench/peers-node';
/**
 * glibc lets memory of freed buffers go only where each was a mapping of its own, and takes larger and
 * larger ones from a heap it keeps, unless the size is fixed. Other allocators ignore this.
 */
const NODE_ENV = { MALLOC_MMAP_THRESHOLD_: String(2 ** 17) };

/**
 * Prints each program's own lines, then medians and ratios.
 *
 * @param {object} options
 * @param {string} options.folder for files that are made
 * @param {string} options.python with torch
 * @param {string | null} options.mergekit its mergekit-yaml
 * @param {string} options.group of checkpoints
 * @param {number} options.runs of each program
 * @param {import('../records.mjs').Records} options.records
 * @param {(bundle: string, args: string[]) => void} options.runInNode runs a bundle with an adapter
 */
export async function benchJobs({ folder, python, mergekit, group, runs, records, runInNode }) {
  await buildJobs();
  const mergedFile = join(folder, 'merged.safetensors');
  const taken = [];
  for (let run = 0; run < runs; run++) {
    const job = [`${ROOT}${OUT_DIR}/job-processor.js`, group, ...RECIPE, mergedFile];
    const peru = runProgram(records, process.execPath, job, NODE_ENV);
    rmSync(mergedFile, { force: true });
    const torch = runProgram(records, python, [TORCH_JOB, group, ...RECIPE]);
    const dense = runProgram(records, python, [`${ROOT}bench/peers/svd_dense.py`]);
    const merge = mergekit && runMergekit({ mergekit, group, work: join(folder, 'mergekit') });
    taken.push({ peru, torch, dense, merge });
  }
  runInNode(`${OUT_DIR}/job-node.js`, [group, ...RECIPE]);
  compare(records, 'files to theta* and the top 10 % of eight, s', taken, {
    peru: ({ peru }) => peru.seconds,
    torch: ({ torch }) => torch.seconds,
  });
  compare(records, 'the same, peak memory in GB', taken, {
    peru: ({ peru }) => peru.peakBytes / 1e9,
    torch: ({ torch }) => torch.peakBytes / 1e9,
  });
  compare(records, `${MATRICES} LoRA SVDs, s`, taken, {
    peru: ({ peru }) => peru.svdSeconds,
    torch: ({ dense }) => MATRICES * dense.secondsAMatrix,
  });
  if (mergekit !== null) {
    compare(records, 'files to a merged file, s', taken, {
      peru: ({ peru }) => peru.toFileSeconds,
      mergekit: ({ merge }) => merge,
    });
  }
}

/** A group that does not fit what may be held: Peru streams it, torch holds it all. */
export function benchLarge({ python, group, records }) {
  const peruJob = [`${ROOT}${OUT_DIR}/job-processor.js`, group, ...RECIPE, String(BUDGET_BYTES)];
  const peru = runProgram(records, process.execPath, peruJob, NODE_ENV);
  const torch = runProgram(records, python, [TORCH_JOB, group, ...RECIPE]);
  compare(records, 'L/14 x 8 streamed in 3 GiB, s', [{ peru, torch }], {
    peru: ({ peru }) => peru.seconds,
    torch: ({ torch }) => torch.seconds,
  });
  compare(records, 'the same, peak memory in GB', [{ peru, torch }], {
    peru: ({ peru }) => peru.peakBytes / 1e9,
    torch: ({ torch }) => torch.peakBytes / 1e9,
  });
}

/**
 * LoRA files of SDXL's modules at a lower rank, from files to files, against dense SVDs. The dense
 * route's reading and writing are not counted, and its threads' time is told beside.
 *
 * @param {readonly string[]} files each of another rank
 */
export function benchLoras({ python, files, work, records }) {
  for (const file of files) {
    const job = [
      `${ROOT}${OUT_DIR}/job-loras.js`,
      String(LORA_BUDGET_BYTES),
      String(LORA_RANK),
      work,
      file,
    ];
    const peru = runProgram(records, process.execPath, job, NODE_ENV);
    rmSync(work, { recursive: true, force: true });
    const torch = runProgram(records, python, [
      `${ROOT}bench/peers/lora_dense.py`,
      file,
      String(LORA_RANK),
    ]);
    compare(records, `${basename(file)} at rank ${LORA_RANK}, s`, [{ peru, torch }], {
      peru: ({ peru }) => peru.seconds,
      torch: ({ torch }) => torch.seconds,
    });
    compare(records, 'the same, s of processors', [{ peru, torch }], {
      peru: ({ peru }) => peru.processorSeconds,
      torch: ({ torch }) => torch.processorSeconds,
    });
  }
}

async function buildJobs() {
  const { build } = await import('vite');
  const input = {
    'job-node': 'bench/peers/job-node.ts',
    'job-processor': 'bench/peers/job-processor.ts',
    'job-loras': 'bench/peers/job-loras.ts',
    'processor-thread': 'src/platform/node/processor-thread.ts',
  };
  const bundle = { ssr: true, outDir: OUT_DIR, rolldownOptions: { input } };
  await build({ root: ROOT, logLevel: 'warn', publicDir: false, build: bundle });
}

/** @returns the record that the program printed last */
function runProgram(records, program, args, env = {}) {
  const { status, stdout } = spawnSync(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${args[0]} ended with status ${status}.`);
  return records.takeAll(stdout);
}

/** @returns {number} seconds, its start included: it is run as the program it is */
function runMergekit({ mergekit, group, work }) {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const base = join(group, 'base.safetensors');
  const models = Array.from({ length: TASKS }, (_, task) => ({
    model: join(group, `task-${task}.safetensors`),
    parameters: { weight: LAMBDA },
  }));
  const config = join(work, 'merge.yml');
  const recipe = { merge_method: 'task_arithmetic', base_model: base, models, dtype: 'float32' };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ ...recipe, out_dtype: 'float16' }));
  const start = performance.now();
  const args = [config, join(work, 'merged'), '--no-copy-tokenizer', '--no-write-model-card'];
  const { status, stderr } = spawnSync(mergekit, args, { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  rmSync(work, { recursive: true, force: true });
  if (status !== 0) throw new Error(`mergekit ended with status ${status}:\n${stderr}`);
  console.log(`mergekit task_arithmetic on the CPU: ${seconds.toFixed(1)} s to a merged file`);
  return seconds;
}

/** Medians of two programs' figures, and of their ratios run by run. */
function compare(records, what, taken, programs) {
  const [[ours, ofOurs], [theirs, ofTheirs]] = Object.entries(programs);
  const figures = {
    [ours]: median(taken.map(ofOurs)),
    [theirs]: median(taken.map(ofTheirs)),
    ratio: median(taken.map((run) => ofOurs(run) / ofTheirs(run))),
  };
  records.take(JSON.stringify({ bench: 'peers', what, runs: taken.length, ...figures }));
  const shown = Object.entries(figures).map(([name, figure]) => `${name} ${figure.toPrecision(3)}`);
  console.log(`${what}, median of ${taken.length}: ${shown.join(', ')}`);
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
