import { Buffer } from 'node:buffer';
import { test as base } from '@playwright/test';
import { type FixtureFile, PeruPage } from './pages/peru-page';
import { closeWhenStill } from './pages/stillness';
import { shortenZoo, type ZooExtent } from './short-zoo';

export { expect } from '@playwright/test';

interface Fixtures {
  /** `short` unless a journey says otherwise. */
  readonly zoo: ZooExtent;
  readonly peru: PeruPage;
}

/** Playwright's test with the page object as a fixture; its waits last while something moves. */
export const test = base.extend<Fixtures>({
  zoo: ['short', { option: true }],
  context: async ({ context, zoo }, use) => {
    closeWhenStill(context);
    await shortenZoo(context, zoo);
    await use(context);
    // A page may ask for more until it is closed.
    await context.unrouteAll({ behavior: 'ignoreErrors' });
  },
  peru: async ({ page }, use) => {
    const peru = new PeruPage(page);
    await use(peru);
    await peru.dispose();
  },
});

interface TensorFixture {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function f32Tensor(
  shape: readonly number[],
  values: (index: number) => number,
): TensorFixture {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, index) => values(index));
  return { dtype: 'F32', shape, bytes: new Uint8Array(data.buffer) };
}

/** Lays tensors out as a safetensors file, written here apart from the product's own writer. */
export function safetensorsFile(
  name: string,
  tensors: Readonly<Record<string, TensorFixture>>,
  edit: (header: Record<string, unknown>) => unknown = (header) => header,
): FixtureFile {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const [tensor, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[tensor] = { dtype, shape, data_offsets: [offset, offset + bytes.byteLength] };
    offset += bytes.byteLength;
  }
  const data = Buffer.concat(Object.values(tensors).map(({ bytes }) => bytes));
  return rawSafetensors(name, JSON.stringify(edit(header)), data);
}

/** A file with exactly this header text. */
export function rawSafetensors(name: string, headerText: string, data: Uint8Array): FixtureFile {
  const header = Buffer.from(headerText);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return binaryFile(name, Buffer.concat([length, header, data]));
}

export function binaryFile(name: string, buffer: Buffer): FixtureFile {
  return { name, mimeType: 'application/octet-stream', buffer };
}
