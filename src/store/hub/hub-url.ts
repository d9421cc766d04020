/** Which Hubs a link may name. Pure. */
const PUBLIC_HUB_URL = 'https://huggingface.co';

/** Mirrors on the visitor's own machine may do without encryption. */
const OWN_MACHINE: readonly string[] = ['localhost', '127.0.0.1'];

/**
 * The address of a Hub without what does not belong to it, null for the public Hub, or
 * `undefined` where Peru would not ask it: anything but https, or http on this machine.
 */
export function readHubUrl(text: string): string | null | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, username, password, origin, pathname } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && OWN_MACHINE.includes(hostname));
  if (!isSafe || username !== '' || password !== '') return undefined;
  const hubUrl = (origin + pathname).replace(/\/+$/, '');
  return hubUrl === PUBLIC_HUB_URL ? null : hubUrl;
}

/** What people call it: the host. */
export function hubHost(hubUrl: string | null | undefined): string {
  return new URL(hubUrl ?? PUBLIC_HUB_URL).host;
}
