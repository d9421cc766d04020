// Finds a full Chromium (the headless shell has no WebGPU) and names the flags every run uses.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const CANDIDATES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
/** Where macOS keeps applications. */
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * Flags for a machine without a display, quiet on the network. With PERU_ADAPTER=default the
 * browser picks the machine's own GPU; otherwise the software adapter SwiftShader, which proves
 * correctness anywhere.
 */
export const CHROMIUM_FLAGS = [
  '--enable-unsafe-webgpu',
  ...(process.env.PERU_ADAPTER === 'default'
    ? ['--ignore-gpu-blocklist', '--enable-features=Vulkan']
    : ['--use-webgpu-adapter=swiftshader']),
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Path of a Chromium on this machine (PERU_CHROMIUM wins), or null. */
export function findChromium() {
  const fromEnvironment = process.env.PERU_CHROMIUM;
  if (fromEnvironment) return existsSync(fromEnvironment) ? fromEnvironment : null;
  for (const name of CANDIDATES) {
    const which = spawnSync('which', [name], { encoding: 'utf8' });
    if (which.status === 0) return which.stdout.trim();
  }
  return APPLICATIONS.find((path) => existsSync(path)) ?? playwrightChromium();
}

/** Playwright's own full Chromium, where it was installed. */
function playwrightChromium() {
  try {
    const path = createRequire(import.meta.url)('playwright').chromium.executablePath();
    return existsSync(path) ? path : null;
  } catch {
    return null; // packages are not installed yet
  }
}

/** Like findChromium, but a missing browser is an error that says what to do. */
export function chromiumPath() {
  const path = findChromium();
  if (path === null) {
    throw new Error(
      'No Chromium found. Install one (apt-get install chromium) or set PERU_CHROMIUM.',
    );
  }
  return path;
}
