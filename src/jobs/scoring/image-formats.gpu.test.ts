/** Every kind of picture that the data sets hold comes out as Pillow reads it. */
import { expect, it } from 'vitest';
import { decodeImage } from '@/evaluate/clip/decode-image';
import formats from '@/jobs/scoring/golden/image-formats.json';

/** Middles of the quarters of a picture of 16 x 16. */
const MIDDLES = [
  [3, 3],
  [12, 3],
  [3, 12],
  [12, 12],
] as const;
/** Decoders of JPEG may round each on their own; see-through colours lose a bit on the way. */
const NEAR = 3;

it.each(Object.entries(formats))('%s', async (name, { file, colours }) => {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const { width, height, data } = await decodeImage(bytes, name);
  expect([width, height]).toEqual([16, 16]);
  for (const [i, [x, y]] of MIDDLES.entries()) {
    const pixel = data.subarray(3 * (16 * y + x), 3 * (16 * y + x) + 3);
    for (const [channel, wanted] of colours[i]!.entries()) {
      expect(Math.abs(pixel[channel]! - wanted)).toBeLessThanOrEqual(NEAR);
    }
  }
});
