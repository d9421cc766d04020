/** What the cache knows a file by, so that nobody is served what somebody else's Hub said. */
import { type RemoteFile } from './range-read';
import { DEFAULT_HUB_URL } from './repo-ref';

const BY_CONTENT = /^(?:git|sha256)-[0-9a-f]{40,64}$/;
const PUBLIC_HUB = new URL(DEFAULT_HUB_URL).href;

/**
 * The hashes are those of a Hub's listing, and no read covers a whole file to see whether they are
 * true. The public Hub makes them itself; another Hub may say what it likes, so its files stand
 * apart, under its own address.
 *
 * @returns null for a file that is not named by its content
 */
export function cacheKey(hub: URL, { contentKey }: Pick<RemoteFile, 'contentKey'>): string | null {
  if (!BY_CONTENT.test(contentKey)) return null;
  const address = `${hub.origin}${hub.pathname}`;
  return address === PUBLIC_HUB ? contentKey : `${encodeURIComponent(address)}-${contentKey}`;
}
