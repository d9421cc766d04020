/** What a preset says of the models it names: what they are called, and what scores them. */
import { type HubClient } from '@/hub/hub-client';
import { openHubImages, openHubTexts } from '@/datasets/hub-tests';
import { type Preset, type PresetTest } from '@/sources/presets';
import { readImageClasses } from '@/sources/presets-classes';
import { type Test } from './tests';

export interface PresetTaskFacts {
  readonly name: string;
  readonly title: string;
  readonly scoredOn: Test;
}

/** Where a preset's data sets and class names come from. */
export interface PresetPlaces {
  readonly client: HubClient;
  /** Folder of the presets' files, ending in a slash. */
  readonly classesUrl: URL;
  /** Rows scored of each task; default 512. */
  readonly sampleRows?: number;
}

/**
 * The task that a repo stands for in a preset, whatever its revision; null where it is none of
 * the preset's.
 */
export function presetTask(
  preset: Preset,
  repo: string,
  places: PresetPlaces,
): PresetTaskFacts | null {
  const task = preset.tasks.find(({ ref }) => sameRepo(ref, repo));
  if (task === undefined) return null;
  const { name, title, test } = task;
  return { name, title, scoredOn: hubTest(test, places) };
}

/** The Hub's names do not differ by case alone. */
function sameRepo(ref: string, repo: string): boolean {
  return ref.split('@')[0]!.toLowerCase() === repo.toLowerCase();
}

function hubTest(test: PresetTest, { client, classesUrl, sampleRows }: PresetPlaces): Test {
  const name = test.folder === 'data' ? test.repo : `${test.repo}, ${test.folder}`;
  if (test.kind === 'image') {
    return {
      kind: 'image',
      name,
      optional: true,
      open: async (options) => {
        const baseUrl = classesUrl;
        const { classNames, templates } = await readImageClasses(test.classes, {
          ...options,
          baseUrl,
        });
        const dataset = await openHubImages(client, test, { classNames, sampleRows }, options);
        return { dataset, templates };
      },
    };
  }
  const { answers, metric, maxNewTokens, prompt } = test;
  return {
    kind: 'text',
    name,
    optional: true,
    open: async (options) => {
      const dataset = await openHubTexts(client, test, { prompt, answers, sampleRows }, options);
      return { dataset, answers, metric, maxNewTokens };
    },
  };
}
