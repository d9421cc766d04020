/**
 * A page that describes itself to the Hub (an OAuth client id metadata document): looked at before the
 * Hub is sent there, since the Hub tells a fault of it on a page of its own, where nobody here sees it.
 */
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';

interface Client {
  readonly clientId: string;
  readonly redirectUrl: string;
  readonly fetch?: typeof fetch;
}

/** @throws PeruError `source` when the document can not be read, or describes another page */
export async function checkClientDocument(
  { clientId, redirectUrl, fetch: send = fetch }: Client,
  signal: AbortSignal,
): Promise<void> {
  // The other kind is an app that is registered with the Hub.
  if (!clientId.startsWith('https:')) return;
  const document = await readJson(clientId, send, signal);
  if (!isRecord(document)) throw notSetUp(clientId, 'can not be read as JSON');
  const { client_id: id, redirect_uris: addresses } = document;
  if (id !== clientId) throw notSetUp(clientId, 'describes another page');
  if (!Array.isArray(addresses) || !addresses.includes(redirectUrl)) {
    throw notSetUp(clientId, `does not name ${redirectUrl}`);
  }
}

async function readJson(url: string, send: typeof fetch, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await send(url, { credentials: 'omit', cache: 'no-store', signal });
    return response.ok ? await response.json() : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

function notSetUp(clientId: string, what: string): PeruError {
  return new PeruError(
    'source',
    `This copy of Peru can not sign anybody in: ${clientId}, which describes it to the Hub, ${what}.`,
    'Paste an access token instead; whoever serves this page builds it with the address that it is served at (VITE_PAGE_URL).',
  );
}
