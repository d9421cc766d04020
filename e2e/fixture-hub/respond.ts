/** Answers with ranges, CORS and faults. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type FixtureFile } from './content';
import { type FaultKind, type Faults } from './faults';

/** One request and its answer, as the log keeps it. */
export interface LoggedRequest {
  readonly server: 'hub' | 'content';
  readonly method: string;
  /** Path, decoded, with the query. */
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
  status: number;
  /** Bytes of the request's own body that were taken, where it is read. */
  receivedBytes: number;
  /** Bytes of the body that were written. */
  bodyBytes: number;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly faults: Faults;
  readonly log: LoggedRequest;
  /** Pages of other origins may not read the answer. */
  hidden: boolean;
}

/** The next fault of these kinds that fits the request. */
export function takeFault<K extends FaultKind['kind']>(
  { faults, log }: Exchange,
  ...kinds: K[]
): Extract<FaultKind, { kind: K }> | null {
  return faults.take(log.server, log.path, kinds);
}

/** Headers that pages may read: exactly those that the Hub lists, no rate limit among them. */
const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const PIECE_BYTES = 256 * 1024;

/** Pages that say where they are, the Hub may refuse: some hosts of pages get no CORS then. */
function corsHeaders(exchange: Exchange): Record<string, string> {
  const { request, hidden, log } = exchange;
  if (hidden || request.headers.referer !== undefined) return {};
  const isBare = log.server === 'content' && takeFault(exchange, 'bare') !== null;
  return {
    'access-control-allow-origin': request.headers.origin ?? '*',
    ...(isBare ? {} : { 'access-control-expose-headers': EXPOSED }),
    vary: 'Origin',
  };
}

/**
 * Content hosts refuse to be asked about ranges: one range in a request needs no preflight, several
 * do.
 */
export function answerPreflight(exchange: Exchange): void {
  const asked = exchange.request.headers['access-control-request-headers'] ?? '';
  if (exchange.log.server === 'content' && /\brange\b/i.test(asked)) {
    exchange.log.status = 403;
    exchange.response.writeHead(403).end();
    return;
  }
  exchange.log.status = 204;
  exchange.response.writeHead(204, {
    ...corsHeaders(exchange),
    'access-control-allow-methods': 'GET,HEAD,POST,PUT',
    'access-control-allow-headers':
      'authorization,content-type,range,x-request-id,x-xet-session-id',
    'access-control-max-age': '60',
  });
  exchange.response.end();
}

export function sendJson(
  exchange: Exchange,
  value: unknown,
  options: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): void {
  const { status = 200, headers = {} } = options;
  const body = Buffer.from(JSON.stringify(value));
  exchange.log.status = status;
  exchange.log.bodyBytes = body.length;
  exchange.response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    ...corsHeaders(exchange),
    ...headers,
  });
  exchange.response.end(body);
}

export function sendHtml(exchange: Exchange, html: string): void {
  exchange.log.status = 200;
  exchange.response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  exchange.response.end(`<!doctype html><title>Fixture Hub</title>${html}`);
}

/** An error as the Hub words it: code, if there is one, and text in headers, text in JSON. */
export function sendError(exchange: Exchange, status: number, code: string, text: string): void {
  const headers = { ...(code === '' ? {} : { 'x-error-code': code }), 'x-error-message': text };
  sendJson(exchange, { error: text }, { status, headers });
}

export function redirect(
  exchange: Exchange,
  status: 302 | 307,
  to: string,
  headers: Record<string, string> = {},
): void {
  exchange.log.status = status;
  exchange.response.writeHead(status, { location: to, ...corsHeaders(exchange), ...headers });
  exchange.response.end();
}

/** A file, whole or the range asked for. */
export async function sendFile(
  exchange: Exchange,
  file: FixtureFile,
  headers: Record<string, string>,
): Promise<void> {
  const shape = takeFault(exchange, 'ignore-range', 'wrong-range', 'short');
  const asked = shape?.kind === 'ignore-range' ? undefined : exchange.request.headers.range;
  const match = /^bytes=(\d+)-(\d*)$/.exec(asked ?? '');
  const by = shape?.kind === 'wrong-range' ? shape.by : 0;
  const range = match === null ? { start: 0, end: file.size } : rangeOf(match, file.size, by);
  if (range.start >= file.size && match !== null) {
    sendError(exchange, 416, '', 'Range not satisfiable');
    return;
  }
  const end = shape?.kind === 'short' ? Math.min(range.end, range.start + shape.bytes) : range.end;
  exchange.log.status = match === null ? 200 : 206;
  exchange.response.writeHead(exchange.log.status, {
    'content-type': 'application/octet-stream',
    'content-length': end - range.start,
    'accept-ranges': 'bytes',
    ...(match === null
      ? {}
      : { 'content-range': `bytes ${range.start}-${range.end - 1}/${file.size}` }),
    ...corsHeaders(exchange),
    ...headers,
  });
  await sendBody(exchange, file, range.start, end);
}

function rangeOf(match: RegExpExecArray, size: number, by: number): { start: number; end: number } {
  const end = match[2] === '' ? size : Math.min(size, Number(match[2]) + 1);
  return { start: Number(match[1]) + by, end: Math.min(size, end + by) };
}

async function sendBody(
  exchange: Exchange,
  file: FixtureFile,
  start: number,
  end: number,
): Promise<void> {
  const { response, log } = exchange;
  const fault = takeFault(exchange, 'drop', 'stall', 'slow');
  const cuts = fault?.kind === 'drop' || fault?.kind === 'stall';
  const stop = cuts ? Math.min(end, start + fault.afterBytes) : end;
  response.flushHeaders();
  const piece = fault?.kind === 'slow' ? Math.ceil(fault.bytesPerSecond / 20) : PIECE_BYTES;
  for (let at = start; at < stop; at += piece) {
    const bytes = await file.read(at, Math.min(stop, at + piece));
    if (response.destroyed) return;
    log.bodyBytes += bytes.length;
    await written(response, bytes);
    // A socket that takes all at once must not keep the other requests from their turn.
    await new Promise((resolve) => setImmediate(resolve));
    const isLast = at + piece >= stop;
    if (fault?.kind === 'slow' && !isLast) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (fault?.kind === 'drop') {
    // What was written shall arrive before the connection goes.
    await new Promise((resolve) => setTimeout(resolve, 5));
    response.destroy();
  } else if (fault?.kind !== 'stall') response.end();
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** What a request carries, whole; never ends where the connection or the answer fails on demand. */
export async function readRequest(exchange: Exchange): Promise<Uint8Array> {
  const { request, log } = exchange;
  const fault = takeFault(exchange, 'drop-upload', 'no-answer');
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Uint8Array);
    log.receivedBytes += (chunk as Uint8Array).length;
    if (fault?.kind === 'drop-upload' && log.receivedBytes >= fault.afterBytes) {
      request.socket.destroy();
      await never();
    }
  }
  if (fault?.kind === 'no-answer') await never();
  return Buffer.concat(chunks);
}

/** Waits until the socket has taken the bytes, or is gone. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write(bytes, done);
  });
}
