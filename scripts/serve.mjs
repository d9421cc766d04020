// Serves the built page with the headers of vite.config.ts.
import { preview } from 'vite';
import { ROOT } from './setup.mjs';

/**
 * Serves dist/. Port 0 takes any free one.
 * @returns {Promise<{ address: string, close: () => Promise<void> }>}
 */
export async function servePage({ port, open = false }) {
  const server = await preview({
    root: ROOT,
    logLevel: 'warn',
    preview: { port, strictPort: true, open },
  });
  const bound = server.httpServer.address();
  return {
    address: `http://localhost:${typeof bound === 'object' && bound ? bound.port : port}/`,
    close: () => server.close(),
  };
}
