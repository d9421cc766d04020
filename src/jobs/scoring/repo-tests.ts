/** Tests whose split is one file of a folder laid out as a data set repo: the embedded zoos'. */
import { openRequired, type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { openImageDataset } from '@/datasets/dataset';
import { openTextDataset } from '@/datasets/text-dataset';
import { splitPath } from '@/sources/zoo';
import { type ImageTest, type TextSplit, type TextTest } from './tests';

export function repoImages(repo: RepoSource, templates: readonly string[]): ImageTest {
  return {
    kind: 'image',
    name: repo.name,
    open: async (options) => {
      const path = splitPath('test');
      const blob = await openRequired(repo, path, options);
      return { dataset: await openImageDataset(blob, `${repo.id}/${path}`), templates };
    },
  };
}

/** @param prompt with `{column}` in the place of each column of a row */
export function repoTexts(
  repo: RepoSource,
  { prompt, ...asked }: { readonly prompt: string } & Omit<TextSplit, 'dataset'>,
): TextTest {
  return {
    kind: 'text',
    name: repo.name,
    open: async (options) => {
      const path = splitPath('test');
      const blob = await openRequired(repo, path, options);
      const { answers } = asked;
      const dataset = await openTextDataset(blob, `${repo.id}/${path}`, { prompt, answers });
      return { ...asked, dataset };
    },
  };
}
