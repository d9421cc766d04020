import { describe, expect, it } from 'vitest';
import { openRequired } from '@/formats/checkpoint/checkpoint-source';
import { type Fetch } from './fetch-file';
import { openZoo, splitPath } from './zoo';

const manifest = {
  demo: 'fft',
  base: 'models/clip-tiny',
  lambda: 0.1,
  tasks: [
    {
      name: 'digits',
      title: 'Digits',
      model: 'models/clip-tiny_digits',
      dataset: 'datasets/digits',
      templates: ['a photo of {c}'],
    },
  ],
};

/** A server of a few files that records what it is asked for. */
function server(files: Readonly<Record<string, string>>): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: (url) => {
      asked.push(url);
      const text = files[url];
      return Promise.resolve(new Response(text ?? '', { status: text === undefined ? 404 : 200 }));
    },
  };
}

const baseUrl = 'https://host/app/zoo/';
const open = (text: string) => openZoo({ baseUrl, ...server({ [`${baseUrl}zoo.json`]: text }) });

describe('openZoo', () => {
  it('lists base and tasks with one request, and fetches files below its base URL', async () => {
    const { fetch, asked } = server({
      [`${baseUrl}zoo.json`]: JSON.stringify(manifest),
      [`${baseUrl}models/clip-tiny/config.json`]: '{}',
      [`${baseUrl}datasets/digits/data/test-00000-of-00001.parquet`]: 'PAR1',
    });
    const zoo = await openZoo({ baseUrl, fetch });
    expect(asked).toEqual([`${baseUrl}zoo.json`]);
    expect(zoo.lambda).toBe(0.1);
    expect(zoo.base.name).toBe('clip-tiny');
    const [task] = zoo.tasks;
    expect(task).toMatchObject({ name: 'digits', title: 'Digits', templates: ['a photo of {c}'] });
    expect(task!.model.id).toBe('models/clip-tiny_digits');
    expect(await (await zoo.base.open('config.json'))!.text()).toBe('{}');
    expect(await (await task!.dataset.open(splitPath('test')))!.text()).toBe('PAR1');
  });

  it('fetches a file once, and asks once for one that is missing', async () => {
    const { fetch, asked } = server({
      [`${baseUrl}zoo.json`]: JSON.stringify(manifest),
      [`${baseUrl}models/clip-tiny/config.json`]: '{}',
    });
    const { base } = await openZoo({ baseUrl, fetch });
    for (let i = 0; i < 2; i++) {
      expect((await base.open('config.json'))!.size).toBe(2);
      expect(await base.open('README.md')).toBeNull();
    }
    expect(asked).toHaveLength(3);
    await expect(openRequired(base, 'README.md')).rejects.toThrow(
      'clip-tiny has no file README.md',
    );
  });

  it('shares a request under way within a job, never across jobs', async () => {
    const { fetch, asked } = server({
      [`${baseUrl}zoo.json`]: JSON.stringify(manifest),
      [`${baseUrl}models/clip-tiny/config.json`]: '{}',
    });
    const { base } = await openZoo({ baseUrl, fetch });
    const [one, other] = [new AbortController(), new AbortController()];
    const opening = [one, one, other].map(({ signal }) => base.open('config.json', { signal }));
    const blobs = await Promise.all(opening);
    expect(blobs.map((blob) => blob!.size)).toEqual([2, 2, 2]);
    expect(asked.filter((url) => url.endsWith('config.json'))).toHaveLength(2);
  });

  it('tries again after a failure', async () => {
    let failures = 1;
    const good = server({ [`${baseUrl}zoo.json`]: JSON.stringify(manifest) });
    const { base } = await openZoo({
      baseUrl,
      fetch: (url, init) =>
        url.endsWith('config.json') && failures-- > 0
          ? Promise.resolve(new Response('', { status: 500 }))
          : good.fetch(url, init),
    });
    await expect(base.open('config.json')).rejects.toThrow(/500/);
    expect(await base.open('config.json')).toBeNull();
  });

  it('reports a missing zoo as a source error', async () => {
    await expect(openZoo({ baseUrl, ...server({}) })).rejects.toMatchObject({ kind: 'source' });
  });

  const [task] = manifest.tasks;
  it.each([
    ['no JSON', '<html>', /not valid JSON/],
    ['a list', '[]', /no JSON object/],
    ['no base', JSON.stringify({ ...manifest, base: undefined }), /"base"/],
    ['λ as text', JSON.stringify({ ...manifest, lambda: '0.1' }), /"lambda"/],
    ['no tasks', JSON.stringify({ ...manifest, tasks: [] }), /"tasks"/],
    ['a path that climbs', JSON.stringify({ ...manifest, base: 'models/../..' }), /"base"/],
    ['another host', JSON.stringify({ ...manifest, base: '//evil.example/x' }), /"base"/],
    ['a URL', JSON.stringify({ ...manifest, base: 'https://evil.example' }), /"base"/],
    [
      'a task without model',
      JSON.stringify({ ...manifest, tasks: [{ ...task, model: 1 }] }),
      /tasks\[0\].model/,
    ],
    [
      'no templates',
      JSON.stringify({ ...manifest, tasks: [{ ...task, templates: [] }] }),
      /templates/,
    ],
  ])('refuses a manifest with %s', async (_, text, message) => {
    await expect(open(text)).rejects.toMatchObject({
      kind: 'parse',
      message: expect.stringMatching(message) as string,
    });
  });
});
