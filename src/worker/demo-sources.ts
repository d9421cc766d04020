/** The embedded zoos, as groups to open: eight full fine-tunes, or eight LoRA adapters. */
import { type OpenOptions } from '@/sources/checkpoint-source';
import { openTextZoo } from '@/sources/text-zoo';
import { openZoo } from '@/sources/zoo';
import { type AdapterSources, type FullSources, type GroupSources } from './sources';
import { type DemoName } from './protocol';
import { repoImages, repoTexts } from './scoring/repo-tests';

/** @throws PeruError when the zoo can not be fetched */
export function demoSources(demo: DemoName, options: OpenOptions): Promise<GroupSources> {
  return DEMOS[demo](options);
}

const DEMOS: Readonly<Record<DemoName, (options: OpenOptions) => Promise<GroupSources>>> = {
  fft: fullDemo,
  lora: adapterDemo,
};

async function fullDemo(options: OpenOptions): Promise<FullSources> {
  const zoo = await openZoo({ ...options, baseUrl: new URL('zoo/', pageUrl()) });
  const tasks = zoo.tasks.map(({ name, title, model, dataset, templates }) => {
    return { name, title, model, scoredOn: repoImages(dataset, templates) };
  });
  const title = 'Embedded zoo: a small CLIP, eight tasks';
  return { kind: 'full', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

async function adapterDemo(options: OpenOptions): Promise<AdapterSources> {
  const zoo = await openTextZoo({ ...options, baseUrl: new URL('zoo/text/', pageUrl()) });
  const { maxNewTokens } = zoo;
  const tasks = zoo.tasks.map(({ name, title, adapter, dataset, prompt, answers, metric }) => {
    const scoredOn = repoTexts(dataset, { prompt, answers, metric, maxNewTokens });
    return { name, title, model: adapter, scoredOn };
  });
  const title = 'Embedded zoo: a small T5, eight LoRA adapters';
  return { kind: 'adapters', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

/** The folder index.html lies in; a worker only knows where its own script is. */
export function pageUrl(): URL {
  // The worker's script lies in assets/ of the built page, in src/ under the dev server.
  return new URL(import.meta.env.DEV ? '/' : '../', import.meta.url);
}
