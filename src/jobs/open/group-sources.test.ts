/** What a preset makes of a list of repos, on a Hub with its models at true size. */
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { presetRepos } from '../../../e2e/fixture-hub/preset-repos';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { createPromptTokenizer } from '@/evaluate/clip/tokenize';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { presetOf, PRESETS } from '@/sources/presets';
import { decodeFloats } from '@/tensor/half';
import { sourcesWithBase } from './with-base.fixture';
import { type GroupSources } from '@/jobs/group/sources';
import { baseReader } from '@/jobs/scoring/base-reader';
import { openSplits } from '@/jobs/scoring/open-splits';
import { type ImageTest, type TextTest } from '@/jobs/scoring/tests';

// Files of hundreds of megabytes are made up as they are read.
vi.setConfig({ testTimeout: 30_000 });

const CLIP = presetOf('clip-vit-base-patch32')!;
const LORA = presetOf('flan-t5-base-glue-lora-16')!;

let hub: FixtureHub;

beforeAll(async () => {
  const all = PRESETS.map(({ id }) => presetRepos(id, { rows: 60 }));
  // Presets of one family share their data sets, and two share their base.
  const repos = all.flatMap((one) => one.repos);
  const dataSets = all.flatMap((one) => one.dataSets);
  hub = await startFixtureHub({ repos, dataSets });
});

afterAll(() => hub.close());

usePageFiles();

afterEach(() => {
  hub.clearFaults();
  hub.clearLog();
});

function open(presetId: string, repos: readonly string[], base?: string): Promise<GroupSources> {
  const { hubUrl } = hub;
  const request = { kind: 'hub', hubUrl, repos, preset: presetId } as const;
  return sourcesWithBase(base === undefined ? request : { ...request, base }, TEST_OPTIONS);
}

function refsOf({ base, tasks }: typeof CLIP): string[] {
  return [base, ...tasks.map(({ ref }) => ref)];
}

describe('a preset', () => {
  it.each(PRESETS)('$title opens as its tasks, all with something to score', async (preset) => {
    const sources = await open(preset.id, refsOf(preset), preset.base);
    expect(sources.kind).toBe(preset.id.endsWith('lora-16') ? 'adapters' : 'full');
    expect(sources.title).toBe(preset.title);
    expect(sources.lambda).toBe(preset.lambda);
    expect(sources.base.id.startsWith(`${preset.base.split('@')[0]!}@`)).toBe(true);
    expect(sources.tasks.map(({ name, title }) => ({ name, title }))).toEqual(
      preset.tasks.map(({ name, title }) => ({ name, title })),
    );
    for (const { scoredOn } of sources.tasks) expect(scoredOn).not.toBeNull();
    // Nothing but listings was asked for.
    expect(hub.requests.filter(({ server }) => server === 'content')).toEqual([]);
  });

  it('knows its tasks by their repos: fewer of them, other revisions, others beside them', async () => {
    const { repos } = presetRepos('clip-vit-base-patch16');
    const other = repos[3]!.id;
    const [base, sun, cars] = refsOf(CLIP);
    const list = [
      `${cars!}@main`,
      other,
      base!,
      sun!.toUpperCase().replace('TANGANKE', 'tanganke'),
    ];
    hub.addRepo({ ...presetRepos(CLIP.id).repos[1]!, id: list[3]! });
    const { tasks } = await open(CLIP.id, list, base);
    expect(tasks.map(({ name }) => name)).toEqual([
      'stanford-cars',
      'clip-vit-base-patch16_resisc45',
      'sun397',
    ]);
    expect(tasks.map(({ scoredOn }) => scoredOn !== null)).toEqual([true, false, true]);
    hub.removeRepo(list[3]!);
  });

  describe('whose base has moved', () => {
    const [name = ''] = CLIP.base.split('@');
    const [base] = presetRepos(CLIP.id, { rows: 1 }).repos;
    const pickles = base!.revisions.get('main')!;
    const converted = base!.revisions.get('refs/pr/66')!;
    /** Serves it for a test with these files at these revisions. */
    const serve = (revisions: Readonly<Record<string, typeof pickles>>, pull: number | null) => {
      const pulls = base!.pulls!.map((one) => ({ ...one, num: pull ?? 0 }));
      hub.addRepo({
        ...base!,
        revisions: new Map(Object.entries(revisions)),
        pulls: pull === null ? [] : pulls,
      });
    };
    const opened = () => open(CLIP.id, refsOf(CLIP).slice(0, 3), CLIP.base);

    afterEach(() => {
      hub.addRepo(base!);
    });

    it.each([
      ['another pull request', 'refs/pr/70', { main: pickles, 'refs/pr/70': converted }, 70],
      ['its main branch', 'main', { main: converted }, null],
    ])('goes on with %s, and says so', async (_what, revision, revisions, pull) => {
      serve(revisions, pull);
      const sources = await opened();
      expect(sources.base.id.startsWith(`${name}@`)).toBe(true);
      const taken = revision === 'main' ? name : `${name}@${revision}`;
      expect(sources.findings).toMatchObject([
        {
          level: 'note',
          title: `${taken} was taken instead of what the preset names.`,
          detail: expect.stringContaining(`${CLIP.base} could not be opened`) as string,
        },
      ]);
    });

    it('goes on with the conversion where the revision has a pickle only', async () => {
      serve({ main: pickles, 'refs/pr/66': pickles, 'refs/pr/70': converted }, 70);
      expect((await opened()).findings).toMatchObject([
        { title: `${name}@refs/pr/70 was taken instead of what the preset names.` },
      ]);
    });

    it('says what is wrong where there is no conversion', async () => {
      serve({ main: pickles }, null);
      await expect(opened()).rejects.toThrow(/no revision "refs\/pr\/66"/);
    });

    it('is asked about where no preset names it', async () => {
      const request = { kind: 'hub', hubUrl: hub.hubUrl, repos: refsOf(CLIP) } as const;
      const repos = [name, ...request.repos.slice(1, 3)];
      await expect(sourcesWithBase({ ...request, repos }, TEST_OPTIONS)).rejects.toMatchObject({
        kind: 'choose-repo',
        choices: [{ id: CLIP.base, replaces: name }],
      });
    });
  });

  it('is nobody’s business without its id', async () => {
    const { tasks, title, lambda } = await open('no-such-preset', refsOf(CLIP), CLIP.base);
    expect([title, lambda]).toEqual(['From the Hub', null]);
    expect(tasks.every(({ scoredOn }) => scoredOn === null)).toBe(true);
  });
});

describe('the data sets of a preset', () => {
  async function imageTests(): Promise<(ImageTest | null)[]> {
    const { tasks } = await open(CLIP.id, refsOf(CLIP), CLIP.base);
    return tasks.map(({ scoredOn }) => (scoredOn?.kind === 'image' ? scoredOn : null));
  }

  it('open with the classes and templates of their tasks', async () => {
    const { splits, unscoredBecause } = await openSplits(await imageTests(), {});
    expect(unscoredBecause).toEqual(Array(8).fill(null));
    expect(splits.map((split) => split?.dataset.classNames.length)).toEqual([
      397, 196, 45, 10, 10, 43, 10, 47,
    ]);
    for (const split of splits) {
      expect(split!.dataset.rowCount).toBe(60);
      const rows = await split!.dataset.readRows(0, 60);
      expect(rows.every(({ bytes }) => bytes[1] === 0x50)).toBe(true);
    }
  });

  it('leave a task unscored, and say why, where they can not be read', async () => {
    const tests = await imageTests();
    const refused = { kind: 'status', times: Infinity } as const;
    hub.fault(
      { ...refused, status: 404, path: /api\/datasets\/tanganke\/dtd/ },
      { ...refused, status: 403, code: 'GatedRepo', path: /datasets\/ylecun\/mnist\/resolve/ },
    );
    const { splits, unscoredBecause } = await openSplits([...tests, null], {});
    expect(splits.map((split) => split !== null)).toEqual([
      ...[true, true, true, true, true, true],
      ...[false, false, false],
    ]);
    expect(unscoredBecause.slice(6)).toEqual([
      expect.stringMatching(/ylecun\/mnist is gated/),
      expect.stringMatching(/no data set tanganke\/dtd/),
      expect.stringMatching(/no data set is known/),
    ]);
  });

  it('do not hide what a job was stopped by, nor faults of what must be there', async () => {
    const tests = await imageTests();
    const signal = AbortSignal.abort(new DOMException('Stopped.', 'AbortError'));
    await expect(openSplits(tests, { signal })).rejects.toThrow('Stopped.');
    const needed = { ...tests[0]!, optional: false };
    hub.fault({ kind: 'status', status: 404, path: /api\/datasets/, times: Infinity });
    await expect(openSplits([needed], {})).rejects.toThrow(/no data set/);
  });

  it('hold prompts and answers of text tasks', async () => {
    const { tasks } = await open(LORA.id, refsOf(LORA), LORA.base);
    const tests = tasks.map(({ scoredOn }) => scoredOn as TextTest);
    const { splits } = await openSplits(tests, {});
    for (const split of splits) {
      const { dataset, answers } = split!;
      const [row] = await dataset.readRows(0, 1);
      expect(row!.prompt).not.toMatch(/\{\w+\}/);
      expect(dataset.classCount).toBe(answers?.length ?? null);
    }
  });
});

describe('the base of a preset', () => {
  it('gives its text tower alone: what the head needs, and no more', async () => {
    const { base } = await open(CLIP.id, refsOf(CLIP), CLIP.base);
    const weights = await openWeights(base);
    hub.clearLog();
    const one = baseReader(weights);
    const names = [...weights.tensors.keys()].filter((name) => !name.startsWith('vision_model.'));
    const read = await Promise.all(names.map((name) => one(name)));
    const elements = read.reduce((sum, { data }) => sum + data.length, 0);
    const moved = hub.requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    expect(elements).toBe(151_277_313 - 87_456_000);
    expect(moved).toBe(2 * elements);
    // Neighbours come together: 198 tensors in a few requests, the Hub's redirects included.
    expect(names).toHaveLength(199);
    expect(hub.requests.length).toBeLessThan(30);
    for (const [i, name] of [...names.entries()].filter(([at]) => at % 40 === 0)) {
      const { byteStart, byteLength, source, dtype } = weights.tensors.get(name)!;
      const bytes = new Uint8Array(
        await source.slice(byteStart, byteStart + byteLength).arrayBuffer(),
      );
      const { buffer } = decodeFloats(bytes, dtype as 'F16');
      expect(Buffer.from(read[i]!.data.buffer).equals(Buffer.from(buffer))).toBe(true);
    }
  });

  it('puts words into tokens that its config knows', async () => {
    const { base } = await open(CLIP.id, refsOf(CLIP), CLIP.base);
    const json = async (path: string): Promise<object> =>
      JSON.parse(await (await base.open(path))!.text()) as object;
    const [tokens, settings] = [await json('tokenizer.json'), await json('tokenizer_config.json')];
    const { ids } = createPromptTokenizer(tokens, settings, 77).encode(['a photo of a cat.']);
    expect([ids[0], ids.indexOf(49_407), ids[76]]).toEqual([49_406, expect.any(Number), 49_407]);
    expect(ids.indexOf(49_407)).toBeGreaterThan(3);
  });
});
