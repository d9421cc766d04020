/** A file of a Hub repo, read by ranges: what opening a file of a repo gives. */
import { type FileDownloadInfoOutput } from '@huggingface/hub';
import { type ByteTally } from '@/core/byte-tally';
import { RemoteBytes } from '@/tensor/remote-bytes';
import { type ByteProgress } from '@/formats/checkpoint/checkpoint-source';
import { cacheKey } from './cache-key';
import { type Gap } from '@/hub/cache/held-pieces';
import { type RangeCache } from '@/hub/cache/range-cache';
import { type HubClient, type Transport } from './hub-client';
import { loadPart } from '@/core/load-part';
import { proveFile } from './prove-file';
import { fillOverHttp, type Filling, type RemoteFile } from './range-read';
import { TransientError } from '@/core/retry';

export interface HubBlobOptions {
  /** Stops reads under way when it is aborted; later reads may bring a signal of their own. */
  readonly signal?: AbortSignal | undefined;
  /** `totalBytes` counts what was asked for so far, not the whole file. */
  readonly onProgress?: ((progress: ByteProgress) => void) | undefined;
}

export class HubBytes extends RemoteBytes {
  readonly #client: HubClient;
  readonly #file: RemoteFile;
  readonly #options: HubBlobOptions;
  readonly #kept: Kept | null;
  #askedBytes = 0;
  #loadedBytes = 0;
  #xetInfo: FileDownloadInfoOutput | null | undefined;
  #proof: Promise<void> = Promise.resolve();

  constructor(client: HubClient, file: RemoteFile, options: HubBlobOptions = {}) {
    super();
    this.#client = client;
    this.#file = file;
    this.#options = options;
    const key = cacheKey(client.hub, file);
    this.#kept = client.cache === null || key === null ? null : { cache: client.cache, key };
  }

  override get size(): number {
    return this.#file.size;
  }

  override async read(
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && start <= end && end <= this.size)) {
      throw new RangeError(`Bytes ${start} to ${end} lie outside a file of ${this.size}.`);
    }
    signal?.throwIfAborted();
    const into = new Uint8Array(end - start);
    const stop = new AbortController();
    const together = AbortSignal.any([stop.signal, ...this.#signals(signal)]);
    const missing = await this.#fillFromCache(start, into);
    together.throwIfAborted();
    const wanted = missing.reduce((sum, [from, to]) => sum + to - from, 0);
    this.#client.countCachedBytes(into.length - wanted);
    this.#askedBytes += wanted;
    try {
      await Promise.all(
        missing
          .flatMap(([from, to]) => splitEvenly(from, to, this.#client.partBytes))
          .map(([from, to]) => this.#fetch(start + from, into.subarray(from, to), together)),
      );
    } catch (error) {
      // The other parts are of no use any more.
      stop.abort(error);
      this.#askedBytes -= wanted;
      throw error;
    }
    if (this.#file.seen.hasBlindRanges && wanted > 0) await this.#prove(together);
    this.#noteUse();
    return into;
  }

  /** Reads that end together look one after the other: only the last of them may find the file whole. */
  #prove(signal: AbortSignal): Promise<void> {
    const kept = this.#kept;
    if (kept === null) return Promise.resolve();
    const { seen } = this.#file;
    const before = this.#proof.catch(() => undefined);
    this.#proof = before.then(() =>
      seen.hasBlindRanges ? proveFile(this.#file, kept, signal) : undefined,
    );
    return this.#proof;
  }

  override async tally(start: number, end: number): Promise<ByteTally> {
    const neededBytes = end - start;
    const keptBytes = await this.#keptBytes(start, end);
    return { neededBytes, keptBytes, toFetchBytes: neededBytes - keptBytes };
  }

  /** What the cache has; one that fails has nothing. */
  async #keptBytes(start: number, end: number): Promise<number> {
    if (this.#kept === null) return 0;
    const { cache, key } = this.#kept;
    return cache.kept(key, start, end).catch(() => 0);
  }

  /** What is missing then; a cache that fails has nothing. */
  async #fillFromCache(start: number, into: Uint8Array): Promise<Gap[]> {
    const all: Gap[] = [[0, into.length]];
    if (this.#kept === null) return all;
    const { cache, key } = this.#kept;
    return cache.fill(key, start, into).catch(() => all);
  }

  /** For eviction and the list of what is kept; nobody waits for it. */
  #noteUse(): void {
    if (this.#kept === null) return;
    const { cache, key } = this.#kept;
    void cache.use(key, this.#file.about.repo).catch(() => undefined);
  }

  async #fetch(start: number, into: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    await this.#fill(start, into, signal);
    if (this.#kept === null) return;
    const { cache, key } = this.#kept;
    // Room or not, the bytes are here.
    await cache.put(key, start, into).catch(() => undefined);
  }

  /** The file's own signal only stops what it finds under way: its job may be over by now. */
  #signals(signal: AbortSignal | undefined): AbortSignal[] {
    const own = this.#options.signal;
    if (signal !== undefined) return [signal];
    return own === undefined || own.aborted ? [] : [own];
  }

  /** Fills one part, one way or the other. */
  async #fill(start: number, into: Uint8Array, signal: AbortSignal): Promise<void> {
    const filling: Filling = {
      start,
      end: start + into.length,
      into,
      filled: 0,
      onBytes: (bytes) => {
        this.#count(bytes);
      },
    };
    const first = this.#client.transport;
    try {
      await this.#fillBy(first, filling, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { about } = this.#file;
      if (!(error instanceof TransientError) || !error.elsewhere || this.#file.xetHash === null) {
        return this.#client.rethrow(error, about);
      }
      const other = first === 'http' ? 'xet' : 'http';
      await this.#fillBy(other, filling, signal).catch((unhelped: unknown) => {
        signal.throwIfAborted();
        return this.#client.rethrow(unhelped instanceof TransientError ? error : unhelped, about);
      });
      this.#client.transport = other;
    }
  }

  async #fillBy(transport: Transport, filling: Filling, signal: AbortSignal): Promise<void> {
    const client = this.#client;
    const fill = transport === 'xet' ? await this.#overXet(signal) : this.#overHttp();
    await client.retrying(
      () => client.inTurn((cut, heard) => fill(filling, { signal: cut, heard }), signal),
      signal,
      () => filling.filled,
    );
  }

  #overHttp(): Fill {
    return (filling, cut) => fillOverHttp(this.#client, this.#file, filling, cut);
  }

  /** The store's library is loaded when it is first needed. */
  async #overXet(signal: AbortSignal): Promise<Fill> {
    if (this.#file.xetHash === null) return this.#overHttp();
    const { fillOverXet, xetInfo } = await loadPart(() => import('./xet-read'));
    this.#xetInfo ??= await xetInfo(this.#client, this.#file, signal);
    const info = this.#xetInfo;
    if (info === null) return this.#overHttp();
    return (filling, cut) => fillOverXet(this.#client, this.#file, filling, { ...cut, info });
  }

  #count(bytes: number): void {
    this.#loadedBytes += bytes;
    this.#client.countFileBytes(bytes);
    this.#options.onProgress?.({
      path: `${this.#file.about.repo}/${this.#file.about.path ?? ''}`,
      loadedBytes: this.#loadedBytes,
      totalBytes: this.#askedBytes,
    });
  }
}

/** Where the file's bytes are kept, and by what name. */
interface Kept {
  readonly cache: RangeCache;
  readonly key: string;
}

type Fill = (
  filling: Filling,
  cut: { readonly signal: AbortSignal; readonly heard: () => void },
) => Promise<void>;

/** Cuts [from, to) into parts of about the same size, none above `most`; none for nothing. */
function splitEvenly(from: number, to: number, most: number): [number, number][] {
  const count = Math.ceil((to - from) / most);
  const cut = (i: number): number => from + Math.floor((i * (to - from)) / count);
  return Array.from({ length: count }, (_, i) => [cut(i), cut(i + 1)]);
}
