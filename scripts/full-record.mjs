// What `npm run test:full` passed on: files that only its tests see whole. `npm test` runs them, too,
// where one of these files has changed since, whatever clone it runs in.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup.mjs';

const RECORD = `${ROOT}scripts/full-record.json`;
const FOLDERS = ['shaders', 'src/evaluate', 'src/gpu', 'src/kernels'];
/** Their versions are the graphs' and the devices' other half. */
const PACKAGES = ['onnxruntime-web', 'webgpu', 'webgpu-utils'];

/** Whether all files are as they were when the whole of `npm run test:full` passed last. */
export function isRecorded() {
  return JSON.parse(readFileSync(RECORD, 'utf8')).inputs === hashOfInputs();
}

/** Writes that it passed now. */
export function record() {
  writeFileSync(RECORD, `${JSON.stringify({ inputs: hashOfInputs() }, null, 2)}\n`);
}

function hashOfInputs() {
  const hash = createHash('sha256');
  for (const path of FOLDERS.flatMap(filesOf).sort()) {
    const bytes = readFileSync(ROOT + path);
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  const { packages } = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8'));
  for (const name of PACKAGES) {
    hash.update(`${name}\0${packages[`node_modules/${name}`].version}\0`);
  }
  return hash.digest('hex');
}

function filesOf(folder) {
  return readdirSync(ROOT + folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(ROOT + path).isDirectory() ? filesOf(path) : [path];
  });
}
