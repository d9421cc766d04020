/**
 * Bytes that can be read in part. Every `Blob` is one; what lies on a Hub, or is computed as it is
 * read, is one too, but no Blob: only the methods below reach its bytes.
 */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Positions as `Blob.slice` takes them. */
  slice(start?: number, end?: number): ByteSource;
  arrayBuffer(): Promise<ArrayBuffer>;
  text(): Promise<string>;
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
}
