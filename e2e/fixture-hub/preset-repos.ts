/** Everything a preset needs, on the fixture Hub: models at their true size, data sets made small. */
import { readFileSync } from 'node:fs';
import { type Preset, type PresetImageTest, PRESETS } from '../../src/sources/presets';
import { CLIP_SHAPES, clipFiles, type ClipName } from './clip-repo';
import { type FixtureFiles, type FixtureRepo, memoryFile, repoOf } from './content';
import { type ImageSet, imageSetRepo, textSetRepo, type TextSplit } from './dataset-repo';
import { t5AdapterFiles, t5Files } from './t5-repo';

export interface PresetRepoOptions {
  /** Default F16: half the bytes of the true repos. */
  readonly dtype?: 'F32' | 'F16' | 'BF16';
  /** Rows of each data set; default 80. */
  readonly rows?: number;
  /** Layers of each tower of a CLIP; default: as many as the true ones have. */
  readonly layers?: number;
}

export interface PresetRepos {
  /** The base, then the tasks. */
  readonly repos: readonly FixtureRepo[];
  readonly dataSets: readonly FixtureRepo[];
}

const SEED = 4;
const CARD = '---\nlicense: mit\n---\n';

/** @throws RangeError for an id that is no preset's */
export function presetRepos(presetId: string, options: PresetRepoOptions = {}): PresetRepos {
  const preset = PRESETS.find(({ id }) => id === presetId);
  if (preset === undefined) throw new RangeError(`There is no preset ${presetId}.`);
  const { rows = 80 } = options;
  const models = [null, ...preset.tasks.map(({ ref }) => ref)].map((ref, task) => {
    const files = filesOf(preset, task, options);
    return ref === null ? baseRepo(preset.base, files) : repoOf(ref, withCard(files));
  });
  const isText = preset.tasks.some(({ test }) => test.kind === 'text');
  const dataSets = isText
    ? [glue(preset, rows)]
    : preset.tasks.flatMap((task, i) => {
        return task.test.kind === 'image' ? [imageSetRepo(imageSet(task.test, i, rows))] : [];
      });
  return { repos: models, dataSets };
}

function withCard(files: FixtureFiles): FixtureFiles {
  return new Map([...files, ['README.md', memoryFile('README.md', CARD)]]);
}

/** A base of which the preset takes a pull request has a pickle in its main branch. */
function baseRepo(ref: string, files: FixtureFiles): FixtureRepo {
  const [id = '', revision] = ref.split('@');
  if (revision === undefined) return repoOf(id, withCard(files));
  const config = files.get('config.json')!;
  const pickle = memoryFile('pytorch_model.bin', 'not a pickle');
  const main = new Map([
    ['config.json', config],
    ['pytorch_model.bin', pickle],
  ]);
  const num = Number(revision.split('/').at(-1));
  const title = 'Adding `safetensors` variant of this model';
  return {
    id,
    revisions: new Map([
      ['main', main],
      [revision, withCard(files)],
    ]),
    pulls: [{ num, title, author: 'SFconvertbot', status: 'open' }],
  };
}

/** Files of the base (task 0) or of a task (from 1). */
function filesOf(preset: Preset, task: number, options: PresetRepoOptions): FixtureFiles {
  const { dtype = 'F16', layers } = options;
  const weights = { dtype, seed: SEED, task };
  const clip = Object.keys(CLIP_SHAPES).find((name) => preset.id === `clip-${name}`);
  if (clip !== undefined) {
    const parts = task === 0 ? 'all' : 'vision';
    return clipFiles({ ...weights, shape: clip as ClipName, parts, ...(layers && { layers }) });
  }
  const isAdapter = task > 0 && preset.id.includes('lora');
  return isAdapter ? t5AdapterFiles(weights, preset.base) : t5Files(weights);
}

/** Grey and see-through pictures among them, and one set in several files and row groups. */
function imageSet(test: PresetImageTest, index: number, rows: number): ImageSet {
  const { repo: id, folder, classes } = test;
  const url = new URL(`../../public/presets/${classes}`, import.meta.url);
  const { classNames } = JSON.parse(readFileSync(url, 'utf8')) as { classNames: string[] };
  const parts = index === 0 ? { shards: 3, rowsPerGroup: 10 } : {};
  const colours = classes === 'mnist.json' ? 'grey' : index === 2 ? 'rgba' : 'rgb';
  return { id, folder, classCount: classNames.length, rows, colours, ...parts };
}

function glue({ tasks }: Preset, rows: number): FixtureRepo {
  const splits = tasks.flatMap(({ test }): TextSplit[] => {
    if (test.kind !== 'text') return [];
    const { folder, split, prompt, answers } = test;
    const columns = [...prompt.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
    return [{ folder, split, columns, classCount: answers?.length ?? 0, rows }];
  });
  return textSetRepo('nyu-mll/glue', splits);
}
