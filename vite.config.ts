import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv, type Plugin } from 'vite';
import { assembly } from './scripts/assembly-plugin.mjs';

/**
 * Cross-origin isolation gives onnxruntime's wasm its threads (SharedArrayBuffer). The same two
 * headers stand in public/_headers for static hosts.
 */
const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * The Hub, where it sends files from, where it may have large files sent by Git LFS, and mirrors of
 * it on the visitor's own machine.
 */
const HUB_ORIGINS = [
  'https://huggingface.co',
  'https://*.huggingface.co',
  'https://*.hf.co',
  'https://hf-hub-lfs-us-east-1.s3-accelerate.amazonaws.com',
  'http://127.0.0.1:*',
  'http://localhost:*',
];

/**
 * Everything from our own origin; wasm may compile; nothing else may run or load, and besides the
 * Hub nothing may be reached.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  `connect-src 'self' ${HUB_ORIGINS.join(' ')}`,
  "img-src 'self' data: blob:",
  "style-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The policy is written into the built page only: Vite's dev client needs inline scripts. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'peru:content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Asks for the page's faces at once: a browser would else wait for the style sheet's word. */
function preloadFonts(): Plugin {
  let base = '';
  return {
    name: 'peru:preload-fonts',
    apply: 'build',
    configResolved: (config) => {
      base = config.base;
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle = {} }) =>
        Object.keys(bundle)
          .filter((name) => name.endsWith('.woff2'))
          .map((name) => ({
            tag: 'link',
            attrs: {
              rel: 'preload',
              as: 'font',
              type: 'font/woff2',
              crossorigin: true,
              href: base + name,
            },
            injectTo: 'head',
          })),
    },
  };
}

/** Where a site describes itself to the Hub (an OAuth client id metadata document). */
const CLIENT_DOCUMENT = '.well-known/oauth-cimd';
const CALLBACK = 'oauth-callback.html';

/**
 * Which app the page is to the Hub when a visitor signs in. Either is set when the page is built:
 * VITE_HUB_CLIENT_ID, the id of a public app registered with the Hub, or VITE_PAGE_URL, the https
 * address that the page is served at, which then describes itself and needs no registration.
 * Without both, the page offers no sign-in; access tokens work all the same.
 */
function hubClient(): Plugin {
  let clientId = '';
  let page: URL | null = null;
  return {
    name: 'peru:hub-client',
    configResolved({ mode, root }) {
      const { VITE_HUB_CLIENT_ID: registered = '', VITE_PAGE_URL: address = '' } = loadEnv(
        mode,
        root,
        'VITE_',
      );
      page = registered === '' && address !== '' ? new URL(address.replace(/\/*$/, '/')) : null;
      clientId = page === null ? registered : new URL(CLIENT_DOCUMENT, page).href;
    },
    transformIndexHtml: () =>
      clientId === ''
        ? []
        : [{ tag: 'meta', attrs: { name: 'hub-client-id', content: clientId }, injectTo: 'head' }],
    generateBundle() {
      if (page === null) return;
      const description = {
        client_id: clientId,
        client_name: 'Peru',
        client_uri: page.href,
        redirect_uris: [new URL(CALLBACK, page).href],
        token_endpoint_auth_method: 'none',
      };
      const source = JSON.stringify(description, null, 2);
      this.emitFile({ type: 'asset', fileName: CLIENT_DOCUMENT, source });
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [react(), assembly(), contentSecurityPolicy(), hubClient(), preloadFonts()],
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  worker: { format: 'es', plugins: () => [assembly()] },
  build: {
    target: 'es2023',
    chunkSizeWarningLimit: 1000,
    // The policy lets no font come from a data: address.
    assetsInlineLimit: (path) => (path.endsWith('.woff2') ? false : undefined),
  },
  server: { headers: ISOLATION_HEADERS },
  preview: { headers: ISOLATION_HEADERS, port: 4173, strictPort: true },
  optimizeDeps: { exclude: ['onnxruntime-web'] },
});
