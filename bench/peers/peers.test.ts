import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findPeers } from './find-peers.mjs';
import { benchPeers } from './peers.mjs';

describe('findPeers', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'peru-peers-'));
    vi.stubEnv('PERU_PEERS', folder);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  /** A stand-in for Python that ends with `status`, whatever it is asked to import. */
  function writePython(status: number): string {
    const path = join(folder, 'python', 'bin', 'python');
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
    return path;
  }

  it('finds nothing where no folder is named, and in an empty one', () => {
    expect(findPeers()).toEqual({ folder, nodeModules: null, python: null, mergekit: null });
    vi.stubEnv('PERU_PEERS', undefined);
    expect(findPeers()).toEqual({ folder: null, nodeModules: null, python: null, mergekit: null });
  });

  it('takes node_modules only with transformers.js in it', () => {
    const nodeModules = join(folder, 'node_modules');
    mkdirSync(nodeModules);
    expect(findPeers().nodeModules).toBeNull();
    mkdirSync(join(nodeModules, '@huggingface', 'transformers'), { recursive: true });
    expect(findPeers().nodeModules).toBe(nodeModules);
  });

  it('takes a Python only if it imports what is needed', () => {
    writePython(1);
    expect(findPeers().python).toBeNull();
    const python = writePython(0);
    expect(findPeers()).toMatchObject({ python, mergekit: null });
  });
});

describe('benchPeers', () => {
  it('says what is not installed, and runs nothing', async () => {
    vi.stubEnv('PERU_PEERS', undefined);
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const [runInNode, runInChromium] = [vi.fn(), vi.fn()];
    const records = { take: vi.fn(), takeAll: vi.fn() };
    await benchPeers({ quick: true, records, runInNode, runInChromium });
    expect(log.mock.calls.flat().join('\n')).toMatch(/not installed.*bench\/peers\/README\.md/);
    expect([runInNode, runInChromium].flatMap((run) => run.mock.calls)).toEqual([]);
    log.mockRestore();
    vi.unstubAllEnvs();
  });
});
