/** A Hub with the embedded zoo and with small repos of every kind. */
import { Buffer } from 'node:buffer';
import { f32Tensor, safetensorsFile } from '../fixtures';
import { type PeruPage } from '../pages/peru-page';
import { type FixtureFiles, folderFiles, memoryFiles, repoOf } from './content';
import { type FixtureHub, startFixtureHub } from './start-fixture-hub';

export const TOKEN = 'hf_secretsecretsecret';
export const STRANGER = 'hf_strangerstranger';

export const TINY = ['zoo/clip-tiny', 'zoo/clip-tiny_digits', 'zoo/clip-tiny_textures'] as const;
export const ADAPTERS = [
  'zoo/t5-tiny_sentiment-lora-16',
  'zoo/t5-tiny_paraphrase-lora-16',
] as const;

/** Two small tensors: a model that opens in no time. */
function small(scale: number): FixtureFiles {
  const { buffer } = safetensorsFile('model.safetensors', {
    'a.weight': f32Tensor([64, 48], (i) => scale * Math.sin(1 + i)),
    'b.bias': f32Tensor([50], (i) => scale * Math.cos(i)),
  });
  return memoryFiles({ 'model.safetensors': buffer, 'config.json': '{}' });
}

const PICKLES = memoryFiles({ 'pytorch_model.bin': Buffer.from([0x80, 2]), 'config.json': '{}' });

export async function startZooHub(): Promise<FixtureHub> {
  const zoo = async (name: string, folder: string) =>
    repoOf(`zoo/${name}`, await folderFiles(`public/zoo/${folder}/${name}`));
  const pulled = repoOf('me/pickled', PICKLES, {
    pulls: [
      {
        num: 7,
        title: 'Adding `safetensors` variant of this model',
        author: 'SFconvertbot',
        status: 'open',
      },
    ],
  });
  pulled.revisions.set('refs/pr/7', small(1.5));
  return startFixtureHub({
    repos: [
      ...(await Promise.all(TINY.map((id) => zoo(id.slice(4), 'models')))),
      ...(await Promise.all(ADAPTERS.map((id) => zoo(id.slice(4), 'text/adapters')))),
      await zoo('t5-tiny', 'text/models'),
      repoOf('me/base', small(1)),
      repoOf('me/one', small(1.1)),
      repoOf('me/two', small(1.2)),
      repoOf('me/private', small(1.3), { private: true }),
      repoOf('me/gated', small(1.4), { gated: true }),
      pulled,
    ],
    tokens: { [TOKEN]: ['me/private'], [STRANGER]: [] },
  });
}

/** The page as a link to the fixture Hub opens it: with a demo, and repos to be named. */
export async function openPage(peru: PeruPage, hub: FixtureHub): Promise<void> {
  await peru.open(`?demo=fft&hub=${hub.hubUrl}`);
}

export function linkTo(hub: FixtureHub, repos: readonly string[], more = ''): string {
  const [base, ...tasks] = repos;
  const query = [`base=${base ?? ''}`, ...tasks.map((task) => `task=${task}`), `hub=${hub.hubUrl}`];
  return `?${query.join('&')}${more}`;
}
