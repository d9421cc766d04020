// What of the other programs is installed: PERU_PEERS names their folder (bench/peers/README.md).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PYTHON_MODULES = 'numpy, onnx, safetensors, torch, transformers';

/**
 * Paths, each null where it is not there.
 * @returns {{ folder: string | null, nodeModules: string | null, python: string | null, mergekit: string | null }}
 *   python: one that imports what the scripts here need; mergekit: its program for bare checkpoints
 */
export function findPeers() {
  const named = process.env.PERU_PEERS;
  const folder = named ? resolve(named) : null;
  const at = (...parts) => {
    const path = folder === null ? null : join(folder, ...parts);
    return path !== null && existsSync(path) ? path : null;
  };
  const python = at('python', 'bin', 'python');
  return {
    folder,
    nodeModules: at('node_modules', '@huggingface', 'transformers') && at('node_modules'),
    python: python !== null && imports(python, PYTHON_MODULES) ? python : null,
    mergekit: at('python', 'bin', 'mergekit-pytorch'),
  };
}

function imports(python, modules) {
  return spawnSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' }).status === 0;
}
