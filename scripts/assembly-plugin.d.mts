import { type Plugin } from 'vite';

/** A Vite plugin: `import base64 from './FILE.ts?assembly'` is FILE, AssemblyScript, as wasm. */
export function assembly(): Plugin;
