import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readClipConfig, type TextConfig } from './clip-config';
import { createPromptTokenizer, endOfTextPositions, trimTokens } from './tokenize';

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as T;
}

interface Golden {
  readonly contextLength: number;
  readonly prompts: string[];
  readonly ids: number[][];
}

interface TokenizerFile {
  readonly model: Readonly<Record<string, unknown>> & { readonly merges: string[][] };
  readonly pre_tokenizer: { readonly pretokenizers: object[] };
  readonly added_tokens: object[];
}

const tokenizerJson = await readJson<TokenizerFile>('../golden/tokenizer/tokenizer.json');
const tokenizerConfig = await readJson<object>('../golden/tokenizer/tokenizer_config.json');

const LEGACY: TextConfig = {
  hiddenSize: 8,
  intermediateSize: 8,
  layerCount: 1,
  headCount: 1,
  layerNormEpsilon: 1e-5,
  activation: 'gelu',
  vocabularySize: 100,
  contextLength: 6,
  endOfTextId: 2,
};

describe('createPromptTokenizer', () => {
  it('gives the ids of transformers, cut and padded to the context', async () => {
    const golden = await readJson<Golden>('../golden/tokenizer/expected.json');
    const tokenizer = createPromptTokenizer(tokenizerJson, tokenizerConfig, golden.contextLength);
    const { ids, count, tokenCount } = tokenizer.encode(golden.prompts);
    expect([count, tokenCount]).toEqual([golden.prompts.length, golden.contextLength]);
    for (const [row, prompt] of golden.prompts.entries()) {
      const made = [...ids.subarray(row * tokenCount, (row + 1) * tokenCount)];
      expect(made, prompt).toEqual(golden.ids[row]);
    }
  });

  it('reads files of early releases alike: merges as text, tokens as objects, keys that are absent', async () => {
    const { model, pre_tokenizer: splitter, added_tokens: added, ...rest } = tokenizerJson;
    const merges = model.merges.map((pair) => pair.join(' '));
    const absent = { byte_fallback: undefined, ignore_merges: undefined };
    const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
    const file = {
      ...rest,
      model: { ...model, ...absent, merges, continuing_subword_prefix: '' },
      pre_tokenizer: { ...splitter, pretokenizers: [splitter.pretokenizers[0], byteLevel] },
      added_tokens: added.map((token) => ({ ...token, normalized: true })),
    };
    const token = { __type: 'AddedToken', content: '<|endoftext|>', normalized: true };
    const config = { unk_token: token, eos_token: token, pad_token: '<|endoftext|>' };
    const golden = await readJson<Golden>('../golden/tokenizer/expected.json');
    const { ids } = createPromptTokenizer(file, config, golden.contextLength).encode(
      golden.prompts,
    );
    expect([...ids]).toEqual(golden.ids.flat());
  });

  it("gives transformers' ids for every prompt of the zoo", async () => {
    const zoo = '../../../public/zoo/models/clip-tiny';
    const tokenizer = createPromptTokenizer(
      await readJson<object>(`${zoo}/tokenizer.json`),
      await readJson<object>(`${zoo}/tokenizer_config.json`),
      readClipConfig(await readJson(`${zoo}/config.json`)).text.contextLength,
    );
    const golden = await readJson<Record<string, { text: string; ids: number[] }[]>>(
      '../../../scripts/zoo/golden/prompt-ids.json',
    );
    const prompts = Object.values(golden).flat();
    expect(prompts.length).toBeGreaterThan(100);
    for (const { text, ids } of prompts) {
      expect([...tokenizer.encode([text]).ids.subarray(0, ids.length)], text).toEqual(ids);
    }
  });

  it('refuses a padding token the tokenizer does not know', () => {
    const config = { ...tokenizerConfig, pad_token: '<pad>' };
    expect(() => createPromptTokenizer(tokenizerJson, config, 8)).toThrow(/pad_token is "<pad>"/);
  });

  it('takes a padding token written as an object', () => {
    const config = { ...tokenizerConfig, pad_token: { content: '<|endoftext|>' } };
    const { ids } = createPromptTokenizer(tokenizerJson, config, 6).encode(['']);
    expect([...ids]).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it('names tokenizer.json when it is not one', () => {
    expect(() => createPromptTokenizer({}, tokenizerConfig, 8)).toThrow(/^tokenizer.json/);
  });
});

describe('endOfTextPositions', () => {
  const tokens = (...ids: number[]) => ({
    count: 1,
    tokenCount: ids.length,
    ids: Int32Array.from(ids),
  });

  it('takes the first largest id for the legacy value 2', () => {
    expect([...endOfTextPositions(tokens(98, 2, 7, 99, 99, 99), LEGACY)]).toEqual([3]);
  });

  it('takes the first match of any other value', () => {
    const text = { ...LEGACY, endOfTextId: 5 };
    expect([...endOfTextPositions(tokens(98, 99, 5, 5, 5, 5), text)]).toEqual([2]);
  });

  it('refuses prompts without an end of text', () => {
    const text = { ...LEGACY, endOfTextId: 5 };
    expect(() => endOfTextPositions(tokens(98, 99, 7), text)).toThrow(/eos_token_id/);
  });
});

describe('trimTokens', () => {
  it('keeps every column up to the last end of text', () => {
    const tokens = { count: 2, tokenCount: 4, ids: Int32Array.of(1, 9, 9, 9, 1, 2, 9, 9) };
    const trimmed = trimTokens(tokens, Int32Array.of(1, 2), 1);
    expect(trimmed).toEqual({ count: 2, tokenCount: 3, ids: Int32Array.of(1, 9, 9, 1, 2, 9) });
  });

  it('rounds up to the step, but not beyond the tokens there are', () => {
    const tokens = { count: 1, tokenCount: 5, ids: Int32Array.of(1, 2, 9, 9, 9) };
    expect(trimTokens(tokens, Int32Array.of(2), 2).tokenCount).toBe(4);
    expect(trimTokens(tokens, Int32Array.of(4), 4)).toEqual(tokens);
  });
});
