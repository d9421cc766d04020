import { describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { commitOf, memoryFiles, repoOf } from '../../e2e/fixture-hub/content';
import { startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { PEFT } from '@/formats/peft/peft-format';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type HubCheckpoint, openHubGroup, openHubModel, openHubRepo } from './hub-repo';
import { clientTo, modelFile, modelFiles, TOKEN, useFixtureHub } from './hub.fixture';

const held = useFixtureHub();
const TINY = modelFile(1, 8);

function add(id: string, files: Readonly<Record<string, Uint8Array | string>>): void {
  held.hub.addRepo(repoOf(id, memoryFiles(files)));
}

describe('openHubRepo', () => {
  it('pins the revision at once and keeps to its commit when the branch moves', async () => {
    const [old, next] = [modelFiles(10), modelFiles(11)];
    held.hub.addRepo(repoOf('me/moving', old));
    const repo = await openHubRepo('me/moving', clientTo(held.hub));
    expect(repo.commit).toBe(commitOf('me/moving', old));
    expect(repo.revision).toBe('main');
    held.hub.move('me/moving', 'main', next);
    const [model] = repo.checkpoints;
    expect(model!.id).toBe(`me/moving@${repo.commit}`);
    const blob = (await model!.open('model.safetensors'))!;
    expect(Buffer.compare(new Uint8Array(await blob.arrayBuffer()), modelFile(10))).toBe(0);
    const later = await openHubModel('me/moving', clientTo(held.hub));
    expect(later.hub.commit).toBe(commitOf('me/moving', next));
    // The commit that was recorded still opens what it opened then.
    const again = await openHubModel(`me/moving@${repo.commit}`, clientTo(held.hub));
    expect(again.hub.commit).toBe(repo.commit);
  });

  it('lists the commit that it pinned, though the branch moved in between', async () => {
    const old = memoryFiles({ 'model.safetensors': TINY });
    held.hub.addRepo(repoOf('me/racing', old));
    const client = clientTo(held.hub, {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        held.hub.move('me/racing', 'main', memoryFiles({ 'other.safetensors': TINY }));
        return response;
      },
    });
    const repo = await openHubRepo('me/racing', client);
    expect(repo.commit).toBe(commitOf('me/racing', old));
    expect(repo.files.map(({ path }) => path)).toEqual(['model.safetensors']);
  });

  it('opens a pull request, a commit and an address', async () => {
    const files = modelFiles(12);
    const repo = repoOf('me/pulled', modelFiles(13));
    repo.revisions.set('refs/pr/4', files);
    held.hub.addRepo(repo);
    const commit = commitOf('me/pulled', files);
    for (const text of [
      'me/pulled@refs/pr/4',
      `me/pulled@${commit}`,
      `${held.hub.hubUrl}/me/pulled/tree/refs%2Fpr%2F4`,
    ]) {
      expect((await openHubModel(text, clientTo(held.hub))).hub.commit).toBe(commit);
    }
  });

  it('follows a renamed repo, token and all, and goes by its new name', async () => {
    const model = await openHubModel('old', clientTo(held.hub, { accessToken: TOKEN }));
    expect(model.id).toBe(`me/base@${model.hub.commit}`);
    expect(held.hub.requests.map(({ status }) => status)).toEqual([307, 200, 200]);
    const seen = held.hub.requests.map(({ authorization }) => authorization);
    expect(new Set(seen)).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  it('sends no token to where a listing claims to go on', async () => {
    const astray: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!response.url.includes('/tree/')) return response;
      const headers = new Headers(response.headers);
      headers.set('link', `<${held.hub.contentUrl}/next>; rel="next"`);
      return new Response(response.body, { headers });
    };
    const client = clientTo(held.hub, { accessToken: TOKEN, fetch: astray });
    await expect(openHubModel('me/base', client)).rejects.toThrow();
    const other = held.hub.requests.filter(({ server }) => server === 'content');
    expect(other.map(({ authorization }) => authorization)).toEqual([null]);
  });

  it('lists a repo page by page', async () => {
    const files = Object.fromEntries(Array.from({ length: 23 }, (_, i) => [`n${i}.txt`, `${i}`]));
    const hub = await startFixtureHub({
      repos: [repoOf('me/long', memoryFiles({ ...files, 'model.safetensors': TINY }))],
      pageSize: 5,
    });
    try {
      const repo = await openHubRepo('me/long', clientTo(hub));
      expect(repo.files).toHaveLength(24);
      expect(hub.requests.filter(({ path }) => path.includes('/tree/'))).toHaveLength(5);
    } finally {
      await hub.close();
    }
  });

  it('opens shards by their index', async () => {
    const [one, two] = [
      modelFile(1, 8),
      soundFile({ c: { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) } }),
    ];
    add('me/sharded', {
      'config.json': '{}',
      'model-00001-of-00002.safetensors': one,
      'model-00002-of-00002.safetensors': two,
      'model.safetensors.index.json': JSON.stringify({
        weight_map: {
          'a.weight': 'model-00001-of-00002.safetensors',
          'b.weight': 'model-00001-of-00002.safetensors',
          c: 'model-00002-of-00002.safetensors',
        },
      }),
    });
    const model = (await openHubModel('me/sharded', clientTo(held.hub))) as HubCheckpoint;
    const weights = await openWeights(model);
    expect([...weights.tensors.keys()]).toEqual(['a.weight', 'b.weight', 'c']);
    expect(weights.byteLength).toBe(one.length + two.length);
  });

  it('says which shard is missing', async () => {
    add('me/holed', {
      'model.safetensors.index.json': JSON.stringify({
        weight_map: { a: 'model-00002-of-00002.safetensors' },
      }),
    });
    const model = (await openHubModel('me/holed', clientTo(held.hub))) as HubCheckpoint;
    await expect(openWeights(model)).rejects.toThrow(/no file model-00002-of-00002/);
  });

  it('finds adapters, with the configuration PEFT wrote', async () => {
    add('me/lora', {
      'adapter_config.json': JSON.stringify({
        peft_type: 'LORA',
        r: 2,
        lora_alpha: 2,
        target_modules: ['q'],
      }),
      'adapter_model.safetensors': soundFile({
        'q.lora_A.weight': f32([2, 1], [1, 2]),
        'q.lora_B.weight': f32([1, 2], [1, 2]),
      }),
      'checkpoint-10/adapter_config.json': '{}',
      'checkpoint-10/adapter_model.safetensors': TINY,
      'training_args.bin': 'x',
    });
    const group = await openHubGroup(['me/lora', 'me/base'], clientTo(held.hub));
    expect(group.checkpoints.map(({ name }) => name)).toEqual(['base']);
    expect(group.adapters.map(({ name }) => name)).toEqual(['lora']);
    expect((await PEFT.open(group.adapters[0]!)).modules[0]!.rank).toBe(2);
  });

  it('opens a folder or a file of a repo, and asks which where there are several', async () => {
    add('me/many', {
      'README.md': '#',
      'tasks/cars/model.safetensors': TINY,
      'tasks/sun/model.safetensors': TINY,
      'tasks/sun/checkpoint-5/model.safetensors': TINY,
    });
    add('me/loose', { 'one.safetensors': TINY, 'two.safetensors': TINY });
    const client = clientTo(held.hub);
    const sun = (await openHubModel('me/many/tasks/sun', client)) as HubCheckpoint;
    expect([sun.name, sun.folder, sun.hub.folder]).toEqual([
      'sun',
      'me/many/tasks/sun',
      'tasks/sun',
    ]);
    const one = (await openHubModel('me/loose/one.safetensors', client)) as HubCheckpoint;
    expect(one.weightsPath).toBe('one.safetensors');
    await expect(openHubModel('me/many@main', client)).rejects.toMatchObject({
      kind: 'choose-repo',
      choices: [{ id: 'me/many/tasks/cars@main' }, { id: 'me/many/tasks/sun@main' }],
    });
    await expect(openHubModel('me/loose', client)).rejects.toMatchObject({
      choices: [{ id: 'me/loose/one.safetensors' }, { id: 'me/loose/two.safetensors' }],
    });
  });

  it('tells models of one name apart, and refuses one given twice', async () => {
    add('you/base', { 'model.safetensors': TINY });
    const client = clientTo(held.hub);
    const { checkpoints } = await openHubGroup(['me/base', 'you/base'], client);
    expect(checkpoints.map(({ name }) => name)).toEqual(['me/base', 'you/base']);
    await expect(openHubGroup(['me/base', 'me/base@main'], client)).rejects.toThrow(/given twice/);
  });
});

describe('repos without safetensors', () => {
  it('offers the conversion of the Hub’s own converter, and no one else’s', async () => {
    const pickles = memoryFiles({ 'config.json': '{}', 'pytorch_model.bin': 'x' });
    const pull = { title: 'Adding `safetensors` variant of this model', status: 'open' } as const;
    const repo = repoOf('openai/clip-vit-base-patch32', pickles, {
      pulls: [
        { ...pull, num: 9, author: 'someone' },
        { ...pull, num: 8, author: 'SFconvertbot' },
        { ...pull, num: 7, author: 'SFconvertbot' },
      ],
    });
    repo.revisions.set('refs/pr/9', modelFiles(1));
    // Emptied since: a pull request without what its title promises.
    repo.revisions.set('refs/pr/8', pickles);
    repo.revisions.set('refs/pr/7', modelFiles(1));
    held.hub.addRepo(repo);
    await expect(
      openHubModel('openai/clip-vit-base-patch32', clientTo(held.hub)),
    ).rejects.toMatchObject({
      kind: 'choose-repo',
      message: expect.stringMatching(/pickles \(pytorch_model\.bin\)/) as string,
      choices: [{ id: 'openai/clip-vit-base-patch32@refs/pr/7' }],
    });
    // Nor when the Hub lists the pull requests of all.
    const listsAll: typeof fetch = (url, init) => {
      const asked = new URL(url instanceof Request ? url.url : url);
      asked.searchParams.delete('author');
      return fetch(asked, init);
    };
    const client = clientTo(held.hub, { fetch: listsAll });
    await expect(openHubModel('openai/clip-vit-base-patch32', client)).rejects.toMatchObject({
      choices: [{ id: 'openai/clip-vit-base-patch32@refs/pr/7' }],
    });
    const taken = await openHubModel('openai/clip-vit-base-patch32@refs/pr/7', clientTo(held.hub));
    expect(taken.hub.revision).toBe('refs/pr/7');
  });

  it.each([
    [{ 'pytorch_model.bin': 'x' }, /only PyTorch pickles/],
    [{ 'model.gguf': 'x' }, /no safetensors, only model\.gguf/],
    [{ 'README.md': '#', 'training_args.bin': 'x' }, /has no weights/],
  ])('says what is there instead: %o', async (files, message) => {
    add('me/other', files);
    await expect(openHubModel('me/other', clientTo(held.hub))).rejects.toThrow(message);
  });
});
