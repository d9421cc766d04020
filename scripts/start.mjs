// npm start: set up, build, serve the page on http://localhost:4173 (--port N, --no-open).
import { parseArgs } from 'node:util';
import { build, ensurePackages, main } from './setup.mjs';

await main(async () => {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      port: { type: 'string', default: '4173' },
      open: { type: 'boolean', default: true },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Error(`--port takes a number from 1 to 65535, not ${values.port}.`);
  }
  ensurePackages();
  build();
  const { servePage } = await import('./serve.mjs');
  const { address } = await servePage({ port, open: values.open });
  console.log(`\nPeru is open at ${address} (Ctrl+C stops it)`);
});
