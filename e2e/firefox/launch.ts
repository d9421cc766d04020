/** Stock Firefox over WebDriver BiDi: what Playwright drives is a Firefox of its own. */
import puppeteer, { type Browser } from 'puppeteer-core';
import { firefoxPath, vulkanEnvironment } from '../../scripts/firefox.mjs';

export interface FirefoxOptions {
  /** With WebGPU on a software Vulkan driver; else as Firefox ships on Linux, without a trace of it. */
  readonly webgpu: boolean;
}

export function launchFirefox({ webgpu }: FirefoxOptions): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: firefoxPath(),
    // A software adapter is on the blocklist: it proves correctness, never speed.
    extraPrefsFirefox: { 'dom.webgpu.enabled': webgpu, 'gfx.webgpu.ignore-blocklist': webgpu },
    env: { ...process.env, ...(webgpu ? vulkanEnvironment() : {}) },
  });
}
