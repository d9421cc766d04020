// Finds a stock Firefox, and the software Vulkan driver on which it runs WebGPU anywhere.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { lavapipeManifests } from './lavapipe.mjs';

/** What brings both on Debian. */
export const FIREFOX_PACKAGES = ['firefox-esr', 'mesa-vulkan-drivers', 'libvulkan1'];

const CANDIDATES = ['firefox-esr', 'firefox'];
/** Where macOS keeps it. */
const APPLICATION = '/Applications/Firefox.app/Contents/MacOS/firefox';

/** Path of a Firefox on this machine (PERU_FIREFOX wins), or null. */
export function findFirefox() {
  const fromEnvironment = process.env.PERU_FIREFOX;
  if (fromEnvironment) return existsSync(fromEnvironment) ? fromEnvironment : null;
  for (const name of CANDIDATES) {
    const which = spawnSync('which', [name], { encoding: 'utf8' });
    if (which.status === 0) return which.stdout.trim();
  }
  return existsSync(APPLICATION) ? APPLICATION : null;
}

/**
 * What a browser's environment must hold to run WebGPU, or null where it can't. On Linux that is
 * Mesa's lavapipe; with PERU_ADAPTER=default, and on systems without Vulkan, the machine's own GPU.
 */
export function findVulkan() {
  if (process.platform !== 'linux' || process.env.PERU_ADAPTER === 'default') return {};
  const [manifest] = lavapipeManifests();
  return manifest === undefined ? null : { VK_ICD_FILENAMES: manifest };
}

/** Like findFirefox, but a missing browser is an error that says what to do. */
export function firefoxPath() {
  const path = findFirefox();
  if (path !== null) return path;
  throw new Error(
    'No Firefox found. Install one (apt-get install firefox-esr) or set PERU_FIREFOX to its path.',
  );
}

/** Like findVulkan, but a missing driver is an error that says what to do. */
export function vulkanEnvironment() {
  const environment = findVulkan();
  if (environment !== null) return environment;
  throw new Error(
    'No software Vulkan driver found. Install Mesa’s lavapipe (apt-get install ' +
      'mesa-vulkan-drivers libvulkan1), or set PERU_ADAPTER=default to use your own GPU.',
  );
}
