/** The embedded zoos: eight full fine-tunes, eight LoRA adapters, three LoRA files without a base. */
import { type JobOptions } from '@/jobs/context/platform';
import { PEFT } from '@/formats/peft/peft-format';
import { openTextZoo } from '@/sources/text-zoo';
import { openLoraZoo } from '@/sources/lora-zoo';
import { openZoo } from '@/sources/zoo';
import {
  type AdapterSources,
  type AnySources,
  type FullSources,
  type LoraSources,
} from '@/jobs/group/sources';
import { type DemoName } from '@/protocol/requests';
import { repoImages, repoTexts } from '@/jobs/scoring/repo-tests';

/** @throws PeruError when the zoo can not be fetched */
export function demoSources(demo: DemoName, options: JobOptions): Promise<AnySources> {
  return DEMOS[demo](options);
}

const DEMOS: Readonly<Record<DemoName, (options: JobOptions) => Promise<AnySources>>> = {
  fft: fullDemo,
  lora: adapterDemo,
  loras: loraFilesDemo,
};

async function fullDemo(options: JobOptions): Promise<FullSources> {
  const zoo = await openZoo({ ...options, baseUrl: new URL('zoo/', options.platform.siteUrl()) });
  const tasks = zoo.tasks.map(({ name, title, model, dataset, templates }) => {
    return { name, title, model, scoredOn: repoImages(dataset, templates) };
  });
  const title = 'Embedded zoo: a small CLIP, eight tasks';
  return { kind: 'full', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

async function adapterDemo(options: JobOptions): Promise<AdapterSources> {
  const zoo = await openTextZoo({
    ...options,
    baseUrl: new URL('zoo/text/', options.platform.siteUrl()),
  });
  const { maxNewTokens } = zoo;
  const tasks = zoo.tasks.map(({ name, title, adapter, dataset, prompt, answers, metric }) => {
    const scoredOn = repoTexts(dataset, { prompt, answers, metric, maxNewTokens });
    return { name, title, model: { ...adapter, format: PEFT }, scoredOn };
  });
  const title = 'Embedded zoo: a small T5, eight LoRA adapters';
  return { kind: 'adapters', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

async function loraFilesDemo(options: JobOptions): Promise<LoraSources> {
  const baseUrl = new URL('zoo/loras/', options.platform.siteUrl());
  const files = await openLoraZoo({ ...options, baseUrl });
  return { kind: 'loras', title: 'Embedded zoo: three LoRA files of a small UNet', files };
}
