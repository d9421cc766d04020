/**
 * One request with its body, once. Where there is an XMLHttpRequest it is used for requests that
 * carry something: alone among the ways a browser has, it tells how much of it has left.
 */

export interface SendOptions {
  /** A request of which nothing has moved for this long has broken off, in ms. */
  readonly stallMs: number;
  /** Used instead of what the scope has. */
  readonly by?: typeof fetch | undefined;
}

/** Of `@huggingface/hub`, on the requests of which it wants to know the progress. */
interface ProgressHint {
  /** Takes the part sent, 0..1. */
  readonly progressCallback: (progress: number) => void;
  /** Of a file sent in parts: which one, from 0. */
  readonly part?: number;
  readonly numParts?: number;
}

/** Answers to these have no body, not even an empty one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * @returns the answer, whole
 * @throws the signal's reason once aborted; what the connection failed with
 */
export async function send(
  url: URL,
  init: RequestInit & { readonly signal: AbortSignal },
  { stallMs, by }: SendOptions,
): Promise<Response> {
  const stalled = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stalled.abort(new DOMException(`Nothing moved for ${stallMs} ms.`, 'TimeoutError'));
    }, stallMs);
  };
  const signal = AbortSignal.any([init.signal, stalled.signal]);
  heard();
  try {
    const tell = progressTeller(init);
    const hasBody = init.body !== undefined && init.body !== null;
    if (by === undefined && hasBody && typeof XMLHttpRequest !== 'undefined') {
      return await sendByXhr(url, { ...init, signal }, (part) => {
        heard();
        tell(part);
      });
    }
    const response = await sendByFetch(url, { ...init, signal }, by ?? fetch);
    if (response.ok) tell(1);
    return response;
  } finally {
    clearTimeout(timer);
  }
}

async function sendByFetch(url: URL, init: RequestInit, by: typeof fetch): Promise<Response> {
  const response = await by(url, {
    ...init,
    // No cookies, no address of this page, no second copy.
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    cache: 'no-store',
  });
  const { status, headers } = response;
  const body = await response.arrayBuffer();
  return new Response(BODILESS.has(status) ? null : body, { status, headers });
}

function sendByXhr(
  url: URL,
  init: RequestInit & { readonly signal: AbortSignal },
  sent: (part: number) => void,
): Promise<Response> {
  const { method = 'POST', headers, body, signal } = init;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const stop = (): void => {
      request.abort();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    request.upload.onprogress = ({ loaded, total }) => {
      sent(total > 0 ? loaded / total : 0);
    };
    request.onload = () => {
      resolve(answerOf(request));
    };
    request.onerror = () => {
      reject(new TypeError('The connection failed.'));
    };
    request.onloadend = () => {
      signal.removeEventListener('abort', stop);
    };
    request.open(method, url, true);
    request.responseType = 'arraybuffer';
    new Headers(headers).forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.send(body as XMLHttpRequestBodyInit);
  });
}

function answerOf(request: XMLHttpRequest): Response {
  const { status } = request;
  const headers = new Headers();
  for (const line of request
    .getAllResponseHeaders()
    .trim()
    .split(/[\r\n]+/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const body = BODILESS.has(status) ? null : (request.response as ArrayBuffer);
  return new Response(body, { status, headers });
}

/** Parts sent so far of the files that go in parts, by whom the library wants told. */
const partsSent = new WeakMap<ProgressHint['progressCallback'], Map<number, number>>();

/** What tells the library of the progress of a request; does nothing where it does not ask. */
function progressTeller(init: RequestInit): (part: number) => void {
  const { progressHint: hint } = init as { readonly progressHint?: ProgressHint };
  if (hint === undefined) return () => undefined;
  const { progressCallback: tell, part, numParts = 1 } = hint;
  if (part === undefined) return tell;
  const sent = partsSent.get(tell) ?? new Map<number, number>();
  partsSent.set(tell, sent);
  return (progress) => {
    sent.set(part, progress);
    tell([...sent.values()].reduce((sum, one) => sum + one, 0) / numParts);
  };
}
