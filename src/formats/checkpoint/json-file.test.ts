import { describe, expect, it } from 'vitest';
import { readJson, readJsonObject } from './json-file';

describe('readJson', () => {
  it('parses a file', async () => {
    expect(await readJson(new Blob(['{"a":[1.5,"é"]}']), 'config.json', 100)).toEqual({
      a: [1.5, 'é'],
    });
  });

  it.each([
    ['is too long', new Blob(['[1,2,3,4,5,6]']), /13 bytes; at most 12/],
    ['is not JSON', new Blob(['{"a":}']), /not valid JSON/],
    ['is not UTF-8', new Blob([new Uint8Array([0x22, 0xff, 0x22])]), /not valid JSON/],
    ['is empty', new Blob([]), /not valid JSON/],
  ])('names a file that %s', async (_, blob, message) => {
    const error: unknown = await readJson(blob, 'm/config.json', 12).catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: 'parse' });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain('m/config.json');
  });

  it('reads the bare words that Python writes, and nothing like them inside strings', async () => {
    const text = '{"limit":[0.0, Infinity,-Infinity],"loss":NaN,"note":"NaN, \\"Infinity\\" \\\\"}';
    expect(await readJson(new Blob([text]), 'config.json', 100)).toEqual({
      limit: [0, Infinity, -Infinity],
      loss: null,
      note: 'NaN, "Infinity" \\',
    });
    for (const broken of [
      '{"a":Infinity',
      '{"a":infinity}',
      '{Infinity:1}',
      '[NaNa]',
      '[+Infinity]',
    ]) {
      await expect(readJson(new Blob([broken]), 'config.json', 100)).rejects.toThrow(
        /not valid JSON/,
      );
    }
  });

  it('insists on an object where one is expected', async () => {
    for (const text of ['[]', 'null', '"a"']) {
      await expect(readJsonObject(new Blob([text]), 'config.json', 100)).rejects.toMatchObject({
        kind: 'parse',
      });
    }
  });
});
