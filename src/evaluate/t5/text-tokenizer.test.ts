import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createTextTokenizer } from './text-tokenizer';

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as T;
}

interface Case {
  readonly text: string;
  readonly ids: number[];
}

async function openGolden(name: string) {
  const folder = `../golden/t5/${name}`;
  return {
    tokenizerJson: await readJson<object>(`${folder}/tokenizer.json`),
    config: await readJson<object>(`${folder}/tokenizer_config.json`),
    golden: await readJson<{ texts: Case[]; answers: Case[] }>(`${folder}/expected.json`),
  };
}

/** `precompiled` normalizes by sentencepiece's character map, as the public T5 files do. */
describe.each(['tokenizer', 'precompiled'])('the golden %s', async (name) => {
  const { tokenizerJson, config, golden } = await openGolden(name);
  const tokenizer = createTextTokenizer(tokenizerJson, config);

  it.each(golden.texts)('gives the ids of transformers for $text', ({ text, ids }) => {
    expect([...tokenizer.encode(text)]).toEqual(ids);
  });

  it.each(golden.answers)('gives the text of transformers for $ids', ({ text, ids }) => {
    expect(tokenizer.decode(Int32Array.from(ids)).trim()).toBe(text);
  });

  it('has cut some of them, end of sequence kept', () => {
    const longest = Math.max(...golden.texts.map(({ ids }) => ids.length));
    expect(longest).toBe((config as { model_max_length: number }).model_max_length);
  });
});

describe('createTextTokenizer', async () => {
  const { tokenizerJson, config } = await openGolden('tokenizer');
  const tokenizer = createTextTokenizer(tokenizerJson, config);

  it.each([
    [{ model_max_length: 5 }, 5],
    [{ model_max_length: 1e30 }, 512],
    [{ model_max_length: undefined }, 512],
  ])('keeps to %o', (change, limit) => {
    const other = createTextTokenizer(tokenizerJson, { ...config, ...change });
    const ids = other.encode('yes '.repeat(600));
    expect(ids).toHaveLength(limit);
    expect(ids.at(-1)).toBe(other.encode('')[0]);
    expect(ids.at(-2)).toBe(other.encode('yes')[0]);
  });

  it('decodes nothing to nothing', () => {
    expect(tokenizer.decode(new Int32Array(0))).toBe('');
  });

  it('names tokenizer.json when it is not one', () => {
    expect(() => createTextTokenizer({}, {})).toThrow(/^tokenizer.json/);
  });
});
