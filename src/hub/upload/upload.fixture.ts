/** What the tests of uploads share: a fixture Hub that takes them, and files to send. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach } from 'vitest';
import { repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { counted, modelFile, modelFiles } from '@/hub/hub.fixture';
import { type HubUpload, type UploadFile, type UploadProgress } from './upload';

export const WRITER = 'hf_writerwriterwriter';
/** Of a visitor who signed in: it may make repos, and write into those. */
export const CONTRIBUTOR = 'hf_oauth_contributor';
export const READER = 'hf_readerreaderreader';

/** A Hub of its own for each test: repos are made here, and remembered. */
export function useUploadHub(): { readonly hub: FixtureHub } {
  const held: { hub: FixtureHub | null } = { hub: null };
  beforeEach(async () => {
    held.hub = await startFixtureHub({
      repos: [
        repoOf('me/open', modelFiles(1)),
        repoOf('me/hidden', modelFiles(2), { private: true }),
        repoOf('other/theirs', modelFiles(3)),
      ],
      tokens: { [WRITER]: [], [READER]: ['me/hidden'], [CONTRIBUTOR]: ['me/hidden'] },
      writers: { [WRITER]: ['me'] },
      contributors: { [CONTRIBUTOR]: 'me' },
    });
  });
  afterEach(async () => {
    await held.hub?.close();
  });
  return {
    get hub() {
      return held.hub!;
    },
  };
}

export function uploadFile(path: string, content: Uint8Array<ArrayBuffer> | string): UploadFile {
  const blob = new File([content], path);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path, blob, sha256, bytes: blob.size };
}

/** Weights with something to pack, weights without, a folder, and text. */
export function smallFiles(): readonly UploadFile[] {
  small ??= [
    uploadFile('README.md', '---\nlicense: mit\n---\nA “card”.\n'),
    uploadFile('recipe.json', '{"m":10}'),
    uploadFile('merged.safetensors', modelFile(7, 300_000)),
    uploadFile('cars/adapter_model.safetensors', modelFile(8, 1000)),
    uploadFile('cars.sparse.safetensors', noise(300_000)),
    uploadFile('zeros.safetensors', new Uint8Array(500_001)),
  ];
  return small;
}

let small: readonly UploadFile[] | undefined;

/** With a text too large for git. */
export function exportFiles(): readonly UploadFile[] {
  return [...smallFiles(), uploadFile('tokenizer.json', counted(11 * 1024 * 1024))];
}

/** Bytes that nothing makes shorter. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

export function uploadTo(hub: FixtureHub, more: Partial<HubUpload> = {}): HubUpload {
  return {
    repo: 'me/merge',
    private: true,
    hubUrl: hub.hubUrl,
    accessToken: WRITER,
    files: [uploadFile('README.md', 'text'), uploadFile('merged.safetensors', modelFile(9))],
    title: 'Add a merge',
    signal: new AbortController().signal,
    onProgress: () => undefined,
    retry: { baseDelayMs: 1, maxDelayMs: 4 },
    ...more,
  };
}

/** Collects what an upload tells of its progress. */
export function progressLog(): {
  readonly told: UploadProgress[];
  readonly onProgress: (progress: UploadProgress) => void;
} {
  const told: UploadProgress[] = [];
  return { told, onProgress: (progress) => void told.push(progress) };
}
