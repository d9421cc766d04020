import {
  type AdapterPreview,
  previewAdapters,
  type TaskSpectra,
} from '@/export/adapter/adapter-preview';
import { type RankChoice } from '@/methods/peru-lora';
import { type AdapterGroup } from './adapter-group';

/** What the page needs to preview any choice of ranks; the factorisation must stand. */
export function taskSpectra({ products, contents, tasks }: AdapterGroup): (TaskSpectra & {
  readonly modules: readonly Float32Array[];
})[] {
  const { lowRank, indexOf } = products;
  return tasks.map(({ name: task, index }) => ({
    task,
    modules: contents.modules.map(({ name }) => {
      const product = indexOf[index]!.get(name);
      return product === undefined ? new Float32Array() : lowRank.singularValues(product);
    }),
  }));
}

/** What a choice of ranks keeps and costs, a task each: the same numbers as the page's preview. */
export function previewOf(group: AdapterGroup, choice: RankChoice): AdapterPreview[] {
  return previewAdapters(group.contents, taskSpectra(group), choice);
}
