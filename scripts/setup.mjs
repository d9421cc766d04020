// Set-up every command does for itself: locked Node packages and, where asked for, browsers.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { aptInstall, aptInstallFromBackports, hasApt } from './apt.mjs';
import { findChromium } from './chromium.mjs';
import {
  FIREFOX_PACKAGES,
  findFirefox,
  findVulkan,
  firefoxPath,
  vulkanEnvironment,
} from './firefox.mjs';
import { lavapipeEnvironment, MISSING } from './lavapipe.mjs';

/** The project's folder; every command runs in it. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program in the project's folder with our standard streams; throws unless it exits 0. */
export function run(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) throw new Error(`${program} could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with status ${status}`);
}

/** Installs the locked packages when they are missing or older than the lock file. */
export function ensurePackages() {
  const installed = `${ROOT}node_modules/.package-lock.json`;
  if (existsSync(installed) && !lockChangedSince(installed)) return;
  console.log('Installing the locked Node packages …');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** npm's own record of what it installed tells whether the lock file has moved on. */
function lockChangedSince(installedPath) {
  const wanted = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')).packages;
  const present = JSON.parse(readFileSync(installedPath, 'utf8')).packages;
  return Object.entries(wanted).some(
    ([path, { version, optional }]) =>
      path !== '' && !optional && present[path]?.version !== version,
  );
}

/** Finds a full Chromium or installs one: the system's where apt-get is, else Playwright's. */
export function ensureChromium() {
  const found = findChromium();
  if (found !== null) return found;
  console.log('No Chromium found; installing one …');
  // Where this fails (no such package, no rights), Playwright's own build is the next try.
  if (hasApt()) aptInstall(['chromium']);
  if (findChromium() === null) run('npx', ['--no-install', 'playwright', 'install', 'chromium']);
  const installed = findChromium();
  if (installed === null) {
    throw new Error(
      'Chromium is still missing. Install it by hand, or set PERU_CHROMIUM to its path.',
    );
  }
  return installed;
}

/** Finds the software Vulkan driver that the kernel tests run on in Node, or installs it. */
export function ensureLavapipe() {
  if (lavapipeEnvironment() !== null) return;
  console.log('No lavapipe that Dawn accepts was found; installing one …');
  const packages = ['mesa-vulkan-drivers'];
  if (hasApt()) aptInstall(packages);
  // Debian 12's own is too old.
  if (lavapipeEnvironment() === null && hasApt()) aptInstallFromBackports(packages);
  if (lavapipeEnvironment() === null) throw new Error(MISSING);
}

/** Finds a stock Firefox and a Vulkan driver for its WebGPU, or installs both where apt-get is. */
export function ensureFirefox() {
  if ((findFirefox() === null || findVulkan() === null) && hasApt()) {
    console.log('Firefox or its Vulkan driver is missing; installing both …');
    aptInstall(FIREFOX_PACKAGES);
  }
  vulkanEnvironment();
  return firefoxPath();
}

/** Type-checks and builds the static page into dist/. */
export function build() {
  run('npm', ['run', '--silent', 'build']);
}

/** Runs a command's main function; a failure is one clear line and exit status 1. */
export async function main(command) {
  try {
    await command();
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
