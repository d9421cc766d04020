// Groups of real size from a Hub on this machine, through the built page: seconds by stage, bytes
// moved against bytes needed, and peak memory against the page's own plan.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/setup.mjs';
import { servePage } from '../../scripts/serve.mjs';
import { findPeers } from '../peers/find-peers.mjs';

const LAMBDA = 0.3;
const KEPT_PERCENT = 10;
const JOB_TIMEOUT_MS = 40 * 60_000;
const POLL_MS = 500;
const GIB = 2 ** 30;

/** What is measured: ViT-B/32 by number of tasks, then ViT-L/14, resident and streamed. */
const RUNS = [
  { shape: 'vit-base-patch32', tasks: 2 },
  { shape: 'vit-base-patch32', tasks: 4 },
  { shape: 'vit-base-patch32', tasks: 8 },
  { shape: 'vit-base-patch32', tasks: 8, budgetGib: 1 },
  { shape: 'vit-large-patch14', tasks: 2, budgetGib: 3 },
  { shape: 'vit-large-patch14', tasks: 8, budgetGib: 3 },
];
const QUICK_RUNS = RUNS.slice(0, 1);

/**
 * Prints a row a group, and torch's time for the same job where it is installed.
 *
 * @param {object} options
 * @param {boolean} options.quick the smallest group alone
 * @param {string} options.executablePath of a full Chromium
 */
export async function benchScale({ quick, executablePath }) {
  const { build } = await import('vite');
  const outDir = 'dist-bench/scale';
  const shared = { root: ROOT, logLevel: 'warn', publicDir: false };
  await build({ ...shared, build: { ssr: 'bench/scale/hub.ts', outDir } });
  const { startScaleHub } = await import(`${ROOT}${outDir}/hub.js`);
  const runs = quick ? QUICK_RUNS : RUNS;
  const scale = await startScaleHub([...new Set(runs.map(({ shape }) => shape))]);
  const page = await servePage({ port: 0 });
  try {
    for (const run of runs) {
      const group = scale.group(run.shape, run.tasks);
      const measured = await measure({ run, group, hub: scale.hub, page, executablePath });
      console.log(describe(run, group, measured));
    }
    if (!quick) await benchTorch(scale.group('vit-large-patch14', 8));
  } finally {
    await page.close();
    await scale.hub.close();
  }
}

async function measure({ run, group, hub, page, executablePath }) {
  const { chromium } = await import('playwright');
  const { CHROMIUM_FLAGS } = await import('../../scripts/chromium.mjs');
  // A profile of its own on disk: private windows keep files in memory.
  const profile = mkdtempSync(join(tmpdir(), 'peru-profile-'));
  const launch = { executablePath, args: CHROMIUM_FLAGS };
  const browser = await chromium.launchPersistentContext(profile, launch);
  const memory = watchMemory(profile);
  try {
    const tab = await browser.newPage();
    const budget = run.budgetGib && run.budgetGib * GIB;
    if (budget) await tab.addInitScript(setBudget, budget);
    hub.clearLog();
    await tab.goto(linkTo(page.address, hub.hubUrl, group));
    const start = tab.getByRole('button', { name: 'Start', exact: true });
    await start.click({ timeout: 120_000 });
    const began = performance.now();
    const done = tab.getByRole('status').filter({ hasText: /^Done/ });
    const failed = tab.getByRole('alert').first();
    await done.or(failed).first().waitFor({ timeout: JOB_TIMEOUT_MS });
    if (await failed.isVisible()) throw new Error(`The page reported: ${await failed.innerText()}`);
    const seconds = (performance.now() - began) / 1000;
    const movedBytes = hub.requests
      .filter(({ path }) => path.includes('.safetensors') || path.startsWith('/files/'))
      .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    const results = await takeResults(tab);
    const computing = memory.take();
    const exported = await exportFiles(tab);
    return { seconds, movedBytes, results, computing, exported, exporting: memory.take() };
  } finally {
    memory.stop();
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

function linkTo(address, hubUrl, { base, tasks }) {
  const query = [`base=${base}`, ...tasks.map((task) => `task=${task}`), `hub=${hubUrl}`];
  return `${address}?${query.join('&')}&merge=task-arithmetic&lambda=${LAMBDA}&m=${KEPT_PERCENT}`;
}

/** Runs in the page before its own scripts: the setting a visitor would make. */
function setBudget(bytes) {
  const key = 'peru-settings';
  localStorage.setItem(key, JSON.stringify({ state: { budgetBytes: bytes }, version: 1 }));
}

async function takeResults(tab) {
  const download = tab.waitForEvent('download');
  await tab.getByRole('button', { name: 'Download results' }).click();
  return JSON.parse(readFileSync(await (await download).path(), 'utf8'));
}

/** Makes the files and reads them back, as a visitor would: seconds, and what the page says of them. */
async function exportFiles(tab) {
  const began = performance.now();
  await tab.getByRole('button', { name: 'Export', exact: true }).click();
  const listed = tab.getByRole('button', { name: 'Download all' });
  const failed = tab.getByRole('alert').first();
  await listed.or(failed).first().waitFor({ timeout: JOB_TIMEOUT_MS });
  if (await failed.isVisible()) throw new Error(`The page reported: ${await failed.innerText()}`);
  const seconds = (performance.now() - began) / 1000;
  const said = await tab
    .getByRole('region', { name: 'Export' })
    .getByText(/Read back|gaps/)
    .allInnerTexts();
  return { seconds, said: said.join(' ') };
}

/** Peak resident bytes of the browser's processes by kind, as `ps` tells them. */
function watchMemory(profile) {
  const peaks = new Map();
  const poll = setInterval(() => {
    for (const [kind, bytes] of residentBytes(profile)) {
      peaks.set(kind, Math.max(peaks.get(kind) ?? 0, bytes));
    }
  }, POLL_MS);
  return {
    /** The peaks since the last time. */
    take: () => {
      const taken = Object.fromEntries(peaks);
      peaks.clear();
      return taken;
    },
    stop: () => {
      clearInterval(poll);
    },
  };
}

/** Memory now by kind: the process of this profile and everything below it. */
function residentBytes(profile) {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' });
  const processes = (stdout ?? '').split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return found ? [{ pid: found[1], parent: found[2], kilobytes: +found[3], args: found[4] }] : [];
  });
  const own = new Set(processes.filter(({ args }) => args.includes(profile)).map(({ pid }) => pid));
  const bytes = new Map();
  for (const { pid, parent, kilobytes, args } of processes) {
    if (!own.has(pid) && !own.has(parent)) continue;
    own.add(pid);
    const kind = /--type=([\w-]+)/.exec(args)?.[1] ?? 'browser';
    bytes.set(kind, (bytes.get(kind) ?? 0) + 1024 * kilobytes);
  }
  return bytes;
}

function describe({ shape, tasks, budgetGib }, group, measured) {
  const { seconds, movedBytes, results, computing, exported, exporting } = measured;
  const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;
  const stages = Object.entries(results.seconds).map(([name, s]) => `${name} ${s.toFixed(1)}`);
  const { plannedBytes, peakBytes, mode } = results.memory;
  const { description, vendor, architecture, fallback } = results.adapter;
  const ratio = (a, b) => (a / b).toFixed(4);
  const peaks = (processes) =>
    `processes' peak ${Object.entries(processes)
      .map(([type, bytes]) => `${type} ${gigabytes(bytes)}`)
      .join(', ')}`;
  return [
    `${shape} x ${tasks}${budgetGib ? `, budget ${budgetGib} GiB` : ''} (${mode}) on ` +
      `${[vendor, architecture, description].filter(Boolean).join(', ')}${fallback ? ' (software)' : ''}`,
    `  ${seconds.toFixed(1)} s after Start: ${stages.join(', ')}`,
    `  moved ${gigabytes(movedBytes)} of ${gigabytes(group.neededBytes)} needed: ${ratio(movedBytes, group.neededBytes)}`,
    `  GPU planned ${gigabytes(plannedBytes)}, peak ${gigabytes(peakBytes)}: ${ratio(peakBytes, plannedBytes)}; ${peaks(computing)}`,
    `  exported in ${exported.seconds.toFixed(1)} s; ${peaks(exporting)}`,
    `  the page: ${exported.said}`,
  ].join('\n');
}

/** The same merge and selection in torch, from files on this disk. */
async function benchTorch(group) {
  const { python } = findPeers();
  if (python === null) {
    console.log('torch: not installed (bench/peers/README.md).');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'peru-scale-'));
  try {
    await group.writeTo(folder);
    const args = [
      `${ROOT}bench/peers/merge_prune.py`,
      folder,
      String(LAMBDA),
      String(KEPT_PERCENT),
    ];
    spawnSync(python, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
