/** Image files to 8-bit RGB through the browser's own decoders; works in a worker. */
import { PeruError } from '@/core/errors';
import { type RgbImage } from './resize';

/**
 * Decodes PNG, JPEG, WebP or GIF (first frame). Values are the file's own: no colour management;
 * EXIF turns are applied; transparency is dropped, as Pillow's convert('RGB') does.
 *
 * @param label names the image in messages, e.g. `image 17`
 * @throws PeruError 'parse' when the browser cannot decode it
 */
export async function decodeImage(file: Uint8Array, label: string): Promise<RgbImage> {
  let bitmap: ImageBitmap;
  try {
    // A copy where the bytes are shared with other threads: a Blob refuses those.
    bitmap = await createImageBitmap(new Blob([new Uint8Array(file)]), {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    });
  } catch (cause) {
    throw new PeruError(
      'parse',
      `${label} of the data set is not an image this browser can decode.`,
      'The data set must hold whole PNG, JPEG or WebP files.',
      { cause },
    );
  }
  try {
    return readPixels(bitmap);
  } finally {
    bitmap.close();
  }
}

/** Of the last image; the next is often of its size, and a canvas takes as long as decoding it. */
let lastContext: OffscreenCanvasRenderingContext2D | null = null;

/** A canvas that takes over what is drawn on it, whatever was there before. */
function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const last = lastContext?.canvas;
  if (lastContext !== null && last?.width === width && last.height === height) return lastContext;
  // Read back at once: keeps the canvas out of GPU memory.
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) {
    throw new PeruError(
      'internal',
      'The browser gave no canvas to decode images on.',
      'Reload the page.',
    );
  }
  context.globalCompositeOperation = 'copy';
  lastContext = context;
  return context;
}

function readPixels(bitmap: ImageBitmap): RgbImage {
  const { width, height } = bitmap;
  const context = contextOf(width, height);
  context.drawImage(bitmap, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from]!;
    data[to + 1] = rgba[from + 1]!;
    data[to + 2] = rgba[from + 2]!;
  }
  return { width, height, data };
}
