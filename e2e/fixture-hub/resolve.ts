/** Where the fixture Hub keeps the bytes of files, and how it sends an asker there. */
import { type FixtureFile, oidOf } from './content';
import {
  addressOf,
  type HubState,
  mayRead,
  pathOf,
  type Place,
  placeOf,
  refuseGated,
  type RepoKind,
  visibleRepo,
} from './hub-state';
import { type Exchange, redirect, sendError, sendFile, sendJson, takeFault } from './respond';

/** `/owner/name/resolve/REV/path`, for data sets below `/datasets/`: sends the asker on to where the bytes are. */
export async function resolveFile(
  state: HubState,
  exchange: Exchange,
  parts: readonly string[],
): Promise<void> {
  const { kind, rest: address } = addressOf(parts);
  const [owner, name, verb, ...rest] = address;
  if (owner === '' || verb !== 'resolve') {
    sendError(exchange, owner === '' ? 200 : 404, '', 'The fixture Hub has no pages.');
    return;
  }
  const repo = visibleRepo(state, exchange, kind, `${owner ?? ''}/${name ?? ''}`);
  if (repo === null) return;
  if (repo.gated === true && !mayRead(state, exchange, repo)) {
    refuseGated(exchange);
    return;
  }
  const revision = rest[0] === 'refs' ? rest.slice(0, 3).join('/') : rest[0]!;
  const path = rest.slice(revision.split('/').length).join('/');
  const place = placeOf(exchange, kind, repo, revision);
  if (place === null) return;
  const file = place.files.get(path);
  if (file === undefined) {
    sendError(exchange, 404, 'EntryNotFound', 'Entry not found');
    return;
  }
  await sendOn(state, exchange, place, { path, file });
}

async function sendOn(
  state: HubState,
  exchange: Exchange,
  place: Place,
  { path, file }: { readonly path: string; readonly file: FixtureFile },
): Promise<void> {
  const { kind, repo } = place;
  const lie = takeFault(exchange, 'wrong-hash', 'wrong-commit');
  const commit = lie?.kind === 'wrong-commit' ? '0'.repeat(40) : place.commit;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const headers: Record<string, string> = { 'x-repo-commit': commit };
  if (!file.large) {
    redirect(
      exchange,
      307,
      `/api/resolve-cache/${kind}/${repo.id}/${place.commit}/${encoded}`,
      headers,
    );
    return;
  }
  const hash = lie?.kind === 'wrong-hash' ? '0'.repeat(64) : file.sha256;
  headers['x-linked-size'] = String(file.size);
  headers['x-linked-etag'] = `"${hash}"`;
  if (repo.xet === true && /xet-fileinfo/.test(exchange.request.headers.accept ?? '')) {
    const links = [
      `<${state.hubOrigin}/api/${kind}/${repo.id}/xet-read-token/${place.commit}>; rel="xet-auth"`,
      `<${state.contentOrigin}/v1/reconstructions/${file.sha256}>; rel="xet-reconstruction-info"`,
    ];
    headers['x-xet-hash'] = file.sha256;
    headers['link'] = links.join(', ');
    headers['content-type'] = 'application/vnd.xet-fileinfo+json';
    sendJson(exchange, { hash: file.sha256 }, { headers });
    return;
  }
  if (lie !== null) {
    // A redirect's own headers are not for scripts to read: the lie is told without one.
    await sendFile(exchange, file, { ...headers, etag: `"${hash}"` });
    return;
  }
  redirect(
    exchange,
    302,
    `${state.contentOrigin}/${pathOf(place)}/${place.commit}/${encoded}?signature=fixture`,
    headers,
  );
}

/** Small files, from the Hub's own origin. */
export async function cachedFile(
  state: HubState,
  exchange: Exchange,
  kind: RepoKind,
  parts: readonly string[],
): Promise<void> {
  const [owner, name, commit, ...path] = parts;
  const repo = visibleRepo(state, exchange, kind, `${owner ?? ''}/${name ?? ''}`);
  const place = repo === null ? null : placeOf(exchange, kind, repo, commit ?? '');
  const file = place?.files.get(path.join('/'));
  if (place === null || file === undefined) return;
  const lie = takeFault(exchange, 'wrong-etag');
  const etag = `"${lie === null ? oidOf(file) : 'changed'}"`;
  await sendFile(exchange, file, { etag, 'x-repo-commit': place.commit });
}
