// npm test: lint, types, dead exports, unit, GPU, page weight and end-to-end tests, with their own
// set-up. npm run test:full: what that leaves out for time. The last line counts the tests:
// `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ROOT,
  build,
  ensureChromium,
  ensureFirefox,
  ensureLavapipe,
  ensurePackages,
  main,
} from './setup.mjs';
import { readPlaywrightReport, readVitestReport, slowest } from './test-report.mjs';

/** Tests that are named at the end, with their seconds. */
const SLOWEST = 10;

/** By the name of its files: `*.full.gpu.test.ts` (vitest.config.ts). */
const LEFT_OUT =
  'Left out for time: models at their true size, and evaluators with onnxruntime’s webgpu ' +
  'provider on a software adapter (its graphs and sessions ran). `npm run test:full` runs them.';

await main(async () => {
  const { full } = parseArgs({ options: { full: { type: 'boolean' } } }).values;
  ensurePackages();
  const chromium = ensureChromium();
  const firefox = ensureFirefox();
  const reports = mkdtempSync(join(tmpdir(), 'peru-test-'));
  const totals = { passed: 0, failed: 0, skipped: 0, tests: [] };

  /** A check without tests of its own counts as one. */
  const check = (name, command) => {
    console.log(`\n== ${name}`);
    const ok = command();
    totals[ok ? 'passed' : 'failed'] += 1;
    if (!ok) console.error(`${name} failed`);
  };
  /** A runner counts the tests it ran; one that ran none, or ended badly, failed. */
  const runTests = (name, args, env, readReport) => {
    console.log(`\n== ${name}`);
    const report = join(reports, `${name.replaceAll(' ', '-')}.json`);
    const ok = npx(args(report), {
      PERU_CHROMIUM: chromium,
      PERU_FIREFOX: firefox,
      ...env(report),
    });
    const counts = readReport(report);
    totals.passed += counts.passed;
    totals.skipped += counts.skipped;
    totals.tests.push(...counts.tests);
    totals.failed += ok ? counts.failed : Math.max(1, counts.failed);
  };

  const runVitest = (project) => {
    const args = (report) => [
      'vitest',
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ];
    runTests(`${project} tests`, args, () => ({}), readVitestReport);
  };
  const runJourneys = (projects) =>
    runTests(
      'end-to-end tests',
      () => [
        'playwright',
        'test',
        '--reporter=list,json',
        ...projects.map((p) => `--project=${p}`),
      ],
      (report) => ({ PLAYWRIGHT_JSON_OUTPUT_NAME: report }),
      readPlaywrightReport,
    );
  if (full) {
    runVitest('full');
    check('build', () => tryTo(build));
    runJourneys(['full']);
    conclude(totals);
    return;
  }
  ensureLavapipe();

  check('lint', () => npx(['eslint', '.', '--max-warnings', '0']));
  check('format', () => npx(['prettier', '--check', '--log-level', 'warn', '.']));
  check('types', () => npx(['tsc']));
  check('dead exports', () => npx(['knip']));
  check('folders', () => node('scripts/check-folders.mjs'));
  for (const project of ['unit', 'dawn', 'kernels', 'gpu']) runVitest(project);
  check('build', () => tryTo(build));
  check('page weight', () => node('scripts/page-weight.mjs'));
  runJourneys(['chromium', 'firefox', 'firefox-webgpu']);

  console.log(`\n${LEFT_OUT}`);
  conclude(totals);
});

/** The slowest tests, then the last line, and the exit status. */
function conclude({ passed, failed, skipped, tests }) {
  console.log(`\nSlowest tests:\n${slowest(tests, SLOWEST).join('\n')}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  if (failed > 0) process.exitCode = 1;
}

function npx(args, env = {}) {
  const { status } = spawnSync('npx', ['--no-install', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return status === 0;
}

function node(script) {
  return spawnSync('node', [script], { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

function tryTo(action) {
  try {
    action();
    return true;
  } catch (error) {
    console.error(error.message);
    return false;
  }
}
