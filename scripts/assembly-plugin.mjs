// A Vite plugin: `import base64 from './FILE.ts?assembly'` is FILE, AssemblyScript, as wasm.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

const QUERY = '?assembly';
const OUT = 'out.wasm';

/** Nothing but loops over memory that the caller lays out and lets grow: no runtime, no checks. */
const OPTIONS = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--noAssert'];
export function assembly() {
  return {
    name: 'peru:assembly',
    enforce: 'pre',
    load: {
      filter: { id: /\?assembly$/ },
      async handler(id) {
        const path = id.slice(0, -QUERY.length);
        this.addWatchFile(path);
        const wasm = await compile(path);
        return `export default ${JSON.stringify(wasm.toString('base64'))};`;
      },
    },
  };
}

/** @returns {Promise<Buffer>} the module */
async function compile(path) {
  const { default: asc } = await import('assemblyscript/asc');
  const source = await readFile(path, 'utf8');
  const name = basename(path);
  let wasm = null;
  const { error, stderr } = await asc.main([name, '--outFile', OUT, ...OPTIONS], {
    readFile: (asked) => (asked === name ? source : null),
    writeFile: (written, contents) => {
      if (written === OUT) wasm = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === null) throw new Error(`${path}:\n${stderr.toString()}`);
  return wasm;
}
