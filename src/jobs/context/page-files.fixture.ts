/** The page's own files, which no server serves in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, vi } from 'vitest';

/** What lies at an address of the page's own files, or null where it is none of them. */
export function pageFile(address: string | URL): Response | null {
  const path = /^file:\/\/\/((?:zoo|presets)\/.*)$/.exec(String(address))?.[1];
  if (path === undefined) return null;
  const file = new URL(`../../../public/${path}`, import.meta.url);
  if (!existsSync(file)) return new Response('', { status: 404 });
  return new Response(readFileSync(file));
}

/** Serves them to the tests of a file; what else is fetched goes its way. */
export function usePageFiles(): void {
  beforeAll(() => {
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', (input: string | URL, init?: RequestInit) => {
      const own = pageFile(input);
      return own === null ? fetch(input, init) : Promise.resolve(own);
    });
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });
}
