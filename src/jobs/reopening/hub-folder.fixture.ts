/** Folders of this disk as repos of the fixture Hub. For tests in Node. */
import { memoryFiles, repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { type Files } from './reopen.fixture';

/**
 * @param strip how many folders each path loses
 * @returns the repo's id
 */
export async function addFolder(
  hub: FixtureHub,
  id: string,
  files: Files,
  strip: number,
): Promise<string> {
  const contents: Record<string, Uint8Array> = {};
  for (const { path, file } of files) {
    const inside = path.split('/').slice(strip).join('/');
    contents[inside] = new Uint8Array(await file.arrayBuffer());
  }
  hub.addRepo(repoOf(id, memoryFiles(contents)));
  return id;
}
