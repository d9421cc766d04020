import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VALUE_DTYPES } from '@/tensor/dtype';
import { type EncodedTensor } from '@/tensor/engine';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { flatLayout } from '@/tensor/layout';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { bitsPerElement } from '@/tensor/safetensors-dtype';
import { keptOf } from '@/formats/sparse/sparse-entries.fixture';
import { readSparseFile } from '@/formats/sparse/sparse-file';
import { keptCosts } from './kept-costs.fixture';
import { memoryFolder } from '@/export/memory-folder.fixture';
import { type HeaderEntry } from '@/export/safetensors-writer';
import { encodeEntries, keptEntries } from './sparse-encoder.fixture';
import { type OwnEntry, sparseHeader } from './sparse-size';
import { verifyFile } from '@/export/verify-file';
import { writeSparse, type WriteSparseSpec } from './write-sparse';

const PATH = 'task.sparse.safetensors';
const layout = flatLayout([
  { name: 'a.weight', shape: [70, 9] },
  { name: 'b.bias', shape: [1] },
  { name: 'c.empty', shape: [0] },
  { name: 'd.weight', shape: [33] },
]);
const OWN: readonly OwnEntry[] = [
  { name: 'head.mask', dtype: 'BOOL', shape: [3] },
  { name: 'head.weight', dtype: 'F16', shape: [3], copies: ['head.copy', 'head.other'] },
  { name: 'ids', dtype: 'I64', shape: [2] },
];
const facts = {
  keptPercent: 12.5,
  recipeJson: '{"peru":1}',
  mergedSha256: 'ab'.repeat(32),
  ownTensors: OWN,
};
const ownBytes = ({ name }: Pick<HeaderEntry, 'name'>) =>
  new Uint8Array(100).fill(name.length).map((value, i) => value + i);

const words = Math.ceil(layout.elementCount / 32);
const masks = fc
  .array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffffffff }), fc.constant(0xffffffff)), {
    minLength: words,
    maxLength: words,
  })
  .map((list) => Uint32Array.from(list));
const values = Float32Array.from({ length: layout.elementCount }, (_, i) => Math.sin(i + 1));

function specOf(mask: Uint32Array, valueDtype: (typeof VALUE_DTYPES)[number]): WriteSparseSpec {
  return {
    ...facts,
    layout,
    costs: keptCosts(layout, mask),
    valueDtype,
    encoded: encodeEntries(layout, mask, values, valueDtype),
    readOwn: (name, start, end) => Promise.resolve(ownBytes({ name }).slice(start, end)),
  };
}

describe.each(VALUE_DTYPES)('a sparse vector in %s', (dtype) => {
  it('is read back as it was meant, in the bytes that were told', async () => {
    await fc.assert(
      fc.asyncProperty(masks, async (mask) => {
        const folder = memoryFolder();
        const written = await writeSparse(folder, PATH, specOf(mask, dtype));
        const blob = await folder.open(PATH);
        const costs = keptCosts(layout, mask);
        const told = sparseHeader({ ...facts, costs, valueDtype: dtype }).header;
        expect(blob.size).toBe(told.fileBytes);
        await verifyFile(blob, written);

        const header = await readSafetensorsHeader(blob, PATH);
        for (const { name, dtype: found, byteStart } of header.tensors.values()) {
          expect(byteStart % (bitsPerElement(found) / 8), name).toBe(0);
        }
        const file = readSparseFile(header);
        expect(file).toMatchObject({ keptPercent: 12.5, recipe: '{"peru":1}' });
        expect(file.kept).toBe(costs.reduce((sum, cost) => sum + cost.kept, 0));
        expect(file.mergedSha256).toBe(facts.mergedSha256);
        expect([...file.own.keys()].sort()).toEqual(OWN.map(({ name }) => name).sort());
        expect([...file.tied]).toEqual([
          ['head.copy', 'head.weight'],
          ['head.other', 'head.weight'],
        ]);
        for (const own of OWN) {
          const bytes = await readTensorBytes(blob, header, own.name);
          expect(bytes).toEqual(ownBytes(own).slice(0, bytes.length));
        }
        const kept = keptEntries(layout, mask, values);
        expect([...file.tensors.keys()]).toEqual(kept.map(({ name }) => name));
        for (const { name, tensor, positions, values: exact } of kept) {
          const { elementCount } = layout.tensors[tensor]!;
          const read = await keptOf(blob, file, name, elementCount);
          expect([...read.positions]).toEqual(positions);
          if (dtype !== 'I8') {
            expect(read.values).toEqual(decodeFloats(encodeFloats(exact, dtype), dtype));
            continue;
          }
          const step = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
          for (const [i, value] of read.values.entries()) {
            expect(Math.abs(value - exact[i]!)).toBeLessThanOrEqual(0.5001 * step);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('is the same, byte for byte, when it is written again', async () => {
    const mask = new Uint32Array(words).fill(0x8421_0001);
    const [first, second] = [memoryFolder(), memoryFolder()];
    await writeSparse(first, PATH, specOf(mask, dtype));
    await writeSparse(second, PATH, specOf(mask, dtype));
    expect(second.files.get(PATH)).toEqual(first.files.get(PATH));
  });
});

describe('writing a sparse vector', () => {
  const mask = new Uint32Array(words).fill(0x8000_0001);

  /** The encoder's tensors, changed on their way. */
  async function* changed(
    change: (tensor: EncodedTensor) => readonly EncodedTensor[],
  ): AsyncGenerator<EncodedTensor> {
    for await (const tensor of encodeEntries(layout, mask, values, 'F16')) yield* change(tensor);
  }

  it.each<[string, RegExp, (tensor: EncodedTensor) => readonly EncodedTensor[]]>([
    ['a tensor is missing', /"a.weight" was not encoded/, () => []],
    ['a tensor comes twice', /"a.weight" was encoded/, (t) => [t, t]],
    ['an entry is missing', /"a.weight"/, (t) => [{ ...t, kept: t.kept - 1 }]],
    ['a value is missing', /"a.weight"/, (t) => [{ ...t, values: t.values.slice(2) }]],
    ['a gap is missing', /"a.weight"/, (t) => [{ ...t, gaps: t.gaps.slice(1) }]],
    ['a step is given', /"a.weight"/, (t) => [{ ...t, scale: 1 }]],
    ['an unknown tensor comes', /"number 9"/, (t) => [{ ...t, tensor: 9 }]],
  ])('refuses as its own fault where %s', async (_, message, change) => {
    const folder = memoryFolder();
    const encoded = changed((tensor) => (tensor.tensor === 0 ? change(tensor) : [tensor]));
    const failure = writeSparse(folder, PATH, { ...specOf(mask, 'F16'), encoded });
    await expect(failure).rejects.toMatchObject({ kind: 'internal' });
    await expect(failure).rejects.toThrow(message);
    expect(folder.openPaths.size).toBe(0);
  });

  it.each(['head.gaps', 'head.values', 'a.weight.scale'])(
    "refuses the task's own tensor called %s",
    async (name) => {
      const ownTensors: HeaderEntry[] = [{ name, dtype: 'F32', shape: [1] }];
      const spec = { ...specOf(mask, 'F16'), ownTensors };
      const failure = writeSparse(memoryFolder(), PATH, spec);
      await expect(failure).rejects.toMatchObject({ kind: 'unsupported' });
      await expect(failure).rejects.toThrow(name);
    },
  );
});
