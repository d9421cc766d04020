/** Where large files go that are uploaded: the other origin, which the access token must not reach. */
import { memoryFile } from './content';
import { type HubState } from './hub-state';
import { type Exchange, readRequest, sendError, sendJson } from './respond';
import { filesOfShard } from './xet-upload';

/** Takes what is uploaded; false for other requests. */
export async function takeUpload(
  state: HubState,
  exchange: Exchange,
  parts: readonly string[],
): Promise<boolean> {
  const { method } = exchange.log;
  const [first, second, third, fourth] = parts;
  if (first === 'lfs' && method === 'PUT') await takeBlob(state, exchange, second!, third);
  else if (first === 'v1' && (second === 'chunks' || method === 'POST')) {
    if (exchange.log.authorization !== `Bearer ${state.storeToken}`) {
      sendError(exchange, 401, '', 'Not the store’s token');
    } else if (second === 'xorbs') {
      state.uploads.blocks.set(fourth!, await readRequest(exchange));
      sendJson(exchange, { was_inserted: true });
    } else if (second === 'shards') await takeShard(state, exchange);
    else sendError(exchange, 404, '', 'No such chunk is known');
  } else return false;
  return true;
}

/** A file by Git LFS, or one of its parts. */
async function takeBlob(
  { uploads }: HubState,
  exchange: Exchange,
  oid: string,
  part: string | undefined,
): Promise<void> {
  if (exchange.log.authorization !== null) {
    // As S3 does: an address is signed, or a header is, not both.
    sendError(exchange, 400, '', 'Only one auth mechanism allowed');
    return;
  }
  const bytes = await readRequest(exchange);
  const { sha256 } = memoryFile('', bytes);
  if (part !== undefined) uploads.parts.set(`${oid}/${part}`, bytes);
  else if (sha256 === oid) uploads.blobs.set(oid, bytes);
  else {
    sendError(exchange, 400, '', 'The content is not what its name says');
    return;
  }
  sendJson(exchange, {}, { headers: { etag: `"${sha256}"` } });
}

/** Which files the blocks make up: told last, when all blocks have arrived. */
async function takeShard({ uploads }: HubState, exchange: Exchange): Promise<void> {
  const shard = await readRequest(exchange);
  for (const { sha256, bytes } of filesOfShard(shard, uploads.blocks)) {
    if (memoryFile('', bytes).sha256 !== sha256) {
      sendError(exchange, 400, '', 'The blocks do not make up the file');
      return;
    }
    uploads.blobs.set(sha256, bytes);
  }
  sendJson(exchange, { result: 1 });
}
