/** Decoding needs a browser: these are no GPU tests, but they run where those run. */
import { describe, expect, it } from 'vitest';
import { fetchBytes, largestDifference } from '@/evaluate/golden/providers';
import { floats, parseGolden } from '@/evaluate/golden/read-golden';
import { preprocessImages } from './preprocess';
import { readPreprocessorConfig } from './preprocessor-config';

const files = import.meta.glob<string>('../golden/preprocess/*', {
  query: '?url',
  import: 'default',
  eager: true,
});
const read = (name: string) => fetchBytes(files[`../golden/preprocess/${name}`]!);
const golden = parseGolden(await read('expected.safetensors'));

async function preprocess(processor: string, names: string[]) {
  const json: unknown = JSON.parse(new TextDecoder().decode(await read(`${processor}.json`)));
  const images = await Promise.all(names.map(async (name) => new Uint8Array(await read(name))));
  return preprocessImages(images, readPreprocessorConfig(json));
}

describe('preprocessImages', () => {
  const pngs = [...golden.tensors.keys()].filter((key) => key.endsWith('.png'));

  it.each(pngs)('%s: the pixels of CLIPImageProcessor', async (key) => {
    const [processor, name] = key.split('/') as [string, string];
    const expected = floats(golden, key);
    const batch = await preprocess(processor, [name]);
    expect([batch.count, 3, batch.height, batch.width]).toEqual(expected.shape);
    // Both compute in float32; one 8-bit level is at least 0.003.
    expect(largestDifference(batch.data, expected.data)).toBeLessThan(1e-6);
  });

  it('decodes JPEG like Pillow to within one 8-bit level', async () => {
    const batch = await preprocess('clip', ['wide.jpg']);
    const oneLevel = 1 / 255 / 0.2613;
    const { data } = floats(golden, 'clip/wide.jpg');
    expect(largestDifference(batch.data, data)).toBeLessThan(oneLevel * 1.01);
  });

  it('keeps the order of many images', async () => {
    const names = Array.from({ length: 70 }, (_, i) => (i % 3 === 0 ? 'tall.png' : 'wide.png'));
    const batch = await preprocess('clip', names);
    const length = batch.data.length / batch.count;
    for (const [index, name] of names.entries()) {
      const pixels = batch.data.subarray(index * length, (index + 1) * length);
      expect(largestDifference(pixels, floats(golden, `clip/${name}`).data)).toBeLessThan(1e-6);
    }
  });

  it('names the image that is none', async () => {
    const config = readPreprocessorConfig({});
    const good = new Uint8Array(await read('tiny.png'));
    const images = [good, Uint8Array.of(1, 2, 3)];
    await expect(preprocessImages(images, config)).rejects.toMatchObject({
      kind: 'parse',
      message: expect.stringMatching(/^Image 2 /) as string,
    });
    const cut = [good.subarray(0, 40)];
    await expect(preprocessImages(cut, config)).rejects.toMatchObject({ kind: 'parse' });
  });

  it('stops when asked to', async () => {
    const images = [new Uint8Array(await read('tiny.png'))];
    const stopped = AbortSignal.abort();
    await expect(
      preprocessImages(images, readPreprocessorConfig({}), stopped),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });
});
