/** `fetch` as a page of another origin has it, for tests in Node, where nothing is kept from a script. */

/** What pages may always read (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name). */
const ALWAYS_READABLE: ReadonlySet<string> = new Set([
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
]);

/**
 * Answers show what their host exposes to pages, and those it exposes nothing of are failures. So are
 * several ranges in one request: their preflight is refused.
 */
export const pageFetch: typeof fetch = async (input, init) => {
  if (new Headers(init?.headers).get('range')?.includes(',') === true) {
    throw new TypeError('Failed to fetch');
  }
  const response = await fetch(input, init);
  if (!response.headers.has('access-control-allow-origin')) {
    await response.body?.cancel();
    throw new TypeError('Failed to fetch');
  }
  const list = response.headers.get('access-control-expose-headers') ?? '';
  const exposed = new Set(list.toLowerCase().split(/\s*,\s*/));
  const headers = [...response.headers].filter(
    ([name]) => ALWAYS_READABLE.has(name) || exposed.has(name),
  );
  const { status, url } = response;
  const seen = new Response(response.body, { status, headers });
  Object.defineProperty(seen, 'url', { value: url });
  return seen;
};
