// npm test: lint, types, dead exports, unit, GPU, page weight and end-to-end tests, with their own
// set-up. npm run test:full: what that leaves out for time, unless a file that only these tests see
// whole has changed since they passed (full-record.mjs). The last line counts the tests:
// `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isRecorded, record } from './full-record.mjs';
import {
  ROOT,
  ensureChromium,
  ensureFirefox,
  ensureLavapipe,
  ensurePackages,
  main,
} from './setup.mjs';
import { readPlaywrightReport, readVitestReport, slowest } from './test-report.mjs';

/** Tests that are named at the end, with their seconds. */
const SLOWEST = 10;

/** Playwright's projects. */
const JOURNEYS = ['chromium', 'firefox', 'firefox-webgpu'];
const FULL_JOURNEYS = ['full', 'firefox-full', 'firefox-webgpu-full'];

const LEFT_OUT =
  'Left out for time: kernels on a second driver, Chromium’s (they ran on Dawn), evaluators’ graphs ' +
  'on onnxruntime’s webgpu provider, models at their true size, and all rows of the demos in ' +
  'Firefox. They passed on these very files of shaders, kernels and evaluators; ' +
  '`npm run test:full` runs them.';

const totals = { passed: 0, failed: 0, skipped: 0, tests: [] };
const reports = mkdtempSync(join(tmpdir(), 'peru-test-'));

await main(async () => {
  const { full } = parseArgs({ options: { full: { type: 'boolean' } } }).values;
  ensurePackages();
  const browsers = { PERU_CHROMIUM: ensureChromium(), PERU_FIREFOX: ensureFirefox() };
  if (full) {
    await runFull(browsers);
    await runBuilt(browsers, FULL_JOURNEYS);
    conclude();
    if (totals.failed === 0) record();
    return;
  }
  ensureLavapipe();
  const isDue = !isRecorded();
  if (isDue) console.log('Shaders, kernels or evaluators have changed: this is a full run.');

  // Chromium waits much for one thread: what needs no browser runs beside it, and prints after it.
  const beside = runStatic(browsers);
  await runVitest('gpu', browsers, toConsole);
  for (const text of await beside) process.stdout.write(text);
  await runVitest('dawn', browsers, toConsole);
  if (isDue) await runFull(browsers);
  await runBuilt(browsers, isDue ? [...JOURNEYS, ...FULL_JOURNEYS] : JOURNEYS);

  if (!isDue) console.log(`\n${LEFT_OUT}`);
  conclude();
});

/** @returns what it printed */
async function runStatic(browsers) {
  const printed = [];
  const print = (text) => printed.push(text);
  await check('lint', npx(['eslint', '.', '--max-warnings', '0']), print);
  await check('format', npx(['prettier', '--check', '--log-level', 'warn', '.']), print);
  await check('types', npx(['tsc']), print);
  await check('dead exports', npx(['knip']), print);
  await check('folders', ['node', 'scripts/check-folders.mjs'], print);
  await runVitest('unit', browsers, print);
  return printed;
}

async function runFull(browsers) {
  for (const project of ['kernels', 'full']) await runVitest(project, browsers, toConsole);
}

async function runBuilt(browsers, projects) {
  await check('build', npx(['vite', 'build']), toConsole);
  await check('page weight', ['node', 'scripts/page-weight.mjs'], toConsole);
  const report = reportOf('end-to-end');
  const args = ['playwright', 'test', '--reporter=list,json'];
  const command = npx([...args, ...projects.map((name) => `--project=${name}`)]);
  const env = { ...browsers, PLAYWRIGHT_JSON_OUTPUT_NAME: report };
  await runTests('end-to-end tests', { command, env, print: toConsole }, () =>
    readPlaywrightReport(report),
  );
}

async function runVitest(project, env, print) {
  const report = reportOf(project);
  const output = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = npx(['vitest', 'run', '--project', project, ...output]);
  await runTests(`${project} tests`, { command, env, print }, () => readVitestReport(report));
}

/** A check without tests of its own counts as one. */
async function check(name, command, print) {
  print(`\n== ${name}\n`);
  const ok = await succeeds(command, {}, print);
  totals[ok ? 'passed' : 'failed'] += 1;
  if (!ok) print(`${name} failed\n`);
}

/** A runner counts the tests it ran; one that ran none, or ended badly, failed. */
async function runTests(name, { command, env, print }, readReport) {
  print(`\n== ${name}\n`);
  const ok = await succeeds(command, env, print);
  const counts = readReport();
  totals.passed += counts.passed;
  totals.skipped += counts.skipped;
  totals.tests.push(...counts.tests);
  totals.failed += ok ? counts.failed : Math.max(1, counts.failed);
}

/** The slowest tests, then the last line, and the exit status. */
function conclude() {
  const { passed, failed, skipped, tests } = totals;
  console.log(`\nSlowest tests:\n${slowest(tests, SLOWEST).join('\n')}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  if (failed > 0) process.exitCode = 1;
}

function reportOf(name) {
  return join(reports, `${name}.json`);
}

function npx(args) {
  return ['npx', '--no-install', ...args];
}

function toConsole(text) {
  process.stdout.write(text);
}

/** Runs a program, and hands on what it prints. @returns {Promise<boolean>} whether it exits with 0 */
function succeeds([program, ...args], env, print) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', print);
    }
    child.on('error', (error) => {
      print(`${program} could not be started: ${error.message}\n`);
      resolve(false);
    });
    child.on('close', (status) => resolve(status === 0));
  });
}
