// Finds Mesa's software Vulkan driver, on which the kernel tests run through Dawn in Node.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where Linux distributions list their Vulkan drivers. */
const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
/** What to do where there is none. */
export const MISSING =
  'Dawn in Node finds no software Vulkan driver that it accepts. Install Mesa’s lavapipe, 23 or ' +
  'newer (mesa-vulkan-drivers), or set VK_ICD_FILENAMES to a driver, or PERU_ADAPTER=default to ' +
  'use your own GPU.';
const PROBE = fileURLToPath(new URL('dawn-adapter.mjs', import.meta.url));

/**
 * What the environment of a process must hold for Dawn to compute on lavapipe, or null where there
 * is none that Dawn accepts (Mesa 22 lacks what it asks for). Drivers that the environment names win;
 * with PERU_ADAPTER=default, and where Vulkan isn't the system's way to a GPU, Dawn takes the
 * machine's own.
 */
export function lavapipeEnvironment() {
  const isOwn = process.platform !== 'linux' || process.env.PERU_ADAPTER === 'default';
  const isNamed = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const candidates =
    isOwn || isNamed ? [{}] : lavapipeManifests().map((path) => ({ VK_ICD_FILENAMES: path }));
  return candidates.find((env) => dawnAdapter(env) !== null) ?? null;
}

/** Before the tests that run through Dawn (vitest.config.ts): their processes inherit the choice. */
export function setup() {
  const environment = lavapipeEnvironment();
  if (environment === null) throw new Error(MISSING);
  Object.assign(process.env, environment);
}

/** Paths of the manifests that lavapipe's packages leave where Vulkan looks for drivers. */
export function lavapipeManifests() {
  const folders = DRIVER_FOLDERS.filter((folder) => existsSync(folder));
  const paths = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return paths.filter((path) => /\blvp_icd[^/]*\.json$/.test(path));
}

/** What Dawn calls the adapter that it finds with these variables, or null. */
function dawnAdapter(env) {
  const { status, stdout } = spawnSync(process.execPath, [PROBE], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return status === 0 ? stdout.trim() : null;
}
