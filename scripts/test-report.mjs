// What vitest and Playwright say of the tests they ran, in one shape:
// { passed, failed, skipped, tests: [{ name, seconds }] }.
import { readFileSync } from 'node:fs';

/** @param path of vitest's JSON report */
export function readVitestReport(path) {
  return readReport(path, ({ numPassedTests, numFailedTests, ...report }) => ({
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    tests: report.testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults.map(({ fullName, duration }) => ({
        name: `${file.slice(file.lastIndexOf('/src/') + 1)}: ${fullName}`,
        seconds: (duration ?? 0) / 1000,
      })),
    ),
  }));
}

/** @param path of Playwright's JSON report */
export function readPlaywrightReport(path) {
  return readReport(path, ({ stats, suites }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: stats.skipped,
    tests: suites.flatMap(journeys),
  }));
}

/** Lines that name the slowest tests, the slowest first. */
export function slowest(tests, count) {
  return [...tests]
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count)
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

/** A runner that ran nothing, or left no report, failed. */
function readReport(path, countsOf) {
  try {
    const counts = countsOf(JSON.parse(readFileSync(path, 'utf8')));
    if (counts.passed + counts.failed > 0) return counts;
    console.error('The runner ran no test.');
    return { ...counts, failed: 1 };
  } catch (error) {
    console.error(`The runner left no report: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0, tests: [] };
  }
}

function journeys({ suites = [], specs = [] }) {
  const own = specs.flatMap(({ file, title, tests }) =>
    tests.map(({ projectName, results }) => ({
      name: `e2e/${file} [${projectName}]: ${title}`,
      seconds: results.reduce((sum, { duration }) => sum + duration, 0) / 1000,
    })),
  );
  return [...own, ...suites.flatMap(journeys)];
}
