/** What the fixture Hub keeps of uploads, and what became of repos by them. */

/** How the Hub has large files sent: to its content-addressed store, or by Git LFS. */
export type UploadMode = 'xet' | 'basic' | 'multipart';

export interface UploadState {
  mode: UploadMode;
  /** Large files by their SHA-256, whole, whether committed or not. */
  readonly blobs: Map<string, Uint8Array>;
  /** Parts of large files, by `SHA-256/number`. */
  readonly parts: Map<string, Uint8Array>;
  /** Blocks of the content-addressed store, by their hash, as they were sent. */
  readonly blocks: Map<string, Uint8Array>;
  /** Commits of the repos that were made or changed, newest first, by the repo's id. */
  readonly history: Map<string, readonly { readonly id: string; readonly title: string }[]>;
}

/** Bytes of a part of a large file that is sent in parts. */
export const PART_BYTES = 1024 * 1024;

export function uploadState(mode: UploadMode = 'xet'): UploadState {
  return {
    mode,
    blobs: new Map(),
    parts: new Map(),
    blocks: new Map(),
    history: new Map(),
  };
}
