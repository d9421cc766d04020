import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTextDataset } from './text-dataset';

const golden = (name: string) =>
  new Blob([readFileSync(new URL(`./golden/${name}.parquet`, import.meta.url))]);

const THREE = ['yes', 'maybe', 'no'];
const PROMPT = "Is '{first}' {second}? {second} {} {a b}";

const open = (name: string, prompt = PROMPT, answers: readonly string[] | null = THREE) =>
  openTextDataset(golden(name), `${name}.parquet`, { prompt, answers });

/** Counts the reads of a blob. */
function counted(blob: Blob): { blob: Blob; reads: () => number } {
  let reads = 0;
  const slice = blob.slice.bind(blob);
  blob.slice = (...range) => {
    reads++;
    return slice(...range);
  };
  return { blob, reads: () => reads };
}

describe('openTextDataset', () => {
  it('fills prompts with the texts as they stand', async () => {
    const dataset = await open('text-classes');
    expect([dataset.rowCount, dataset.classCount]).toEqual([7, 3]);
    const rows = await dataset.readRows(0, 7);
    const texts = ['a', '{second}', '$& $1 \\1 {first}', '', 'größer 日本 🙂', 'f', 'g'];
    expect(rows).toEqual(
      texts.map((text, i) => ({
        prompt: `Is '${text}' second ${i}? second ${i} {} {a b}`,
        label: i % 3,
      })),
    );
  });

  it('reads numbers where the task lists no answers', async () => {
    const dataset = await open('text-numbers', '{first}', null);
    expect(dataset.classCount).toBeNull();
    const rows = await dataset.readRows(5, 7);
    expect(rows).toEqual([
      { prompt: 'f', label: 2.75 },
      { prompt: 'g', label: 3.25 },
    ]);
  });

  it('decodes the file once, whatever is asked for', async () => {
    const { blob, reads } = counted(golden('text-classes'));
    const dataset = await openTextDataset(blob, 'x', { prompt: PROMPT, answers: THREE });
    await dataset.readRows(0, 1);
    const before = reads();
    const rows = await Promise.all([dataset.readRows(2, 4), dataset.readRows(4, 4)]);
    expect(rows.map((part) => part.length)).toEqual([2, 0]);
    expect(reads()).toBe(before);
    await expect(dataset.readRows(5, 8)).rejects.toThrow(RangeError);
  });

  it.each([
    ['text-classes', '{third}', THREE, /no column "third".*only first, second, idx, label/],
    ['text-classes', '{toString}', THREE, /no column "toString"/],
    ['text-classes', '{idx}', THREE, /column "idx" holds no text/],
    ['text-classes', 'no column', THREE, /names no column/],
    ['text-classes', '{first}', ['yes', 'no'], /"label" has 3 classes.*lists 2 answers/],
    ['text-classes', '{first}', null, /no number column/],
    ['text-no-label', '{first}', THREE, /no ClassLabel column/],
    ['text-no-label', '{first}', null, /no number column/],
    ['no-features', '{first}', THREE, /lists no features/],
  ])('refuses %s with prompt %s at once', async (name, prompt, answers, message) => {
    await expect(open(name, prompt, answers)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['text-unlabelled', THREE, /row 1 has no label from 0 to 2 in column "label"/],
    ['text-null-text', THREE, /row 1 has no text in column "first"/],
    ['text-null-number', null, /row 1 has no number in column "score"/],
  ])('refuses %s when it is read, again and again', async (name, answers, message) => {
    const dataset = await open(name, '{first}', answers);
    await expect(dataset.readRows(0, 1)).rejects.toThrow(message);
    await expect(dataset.readRows(0, 1)).rejects.toThrow(message);
  });

  it('refuses damaged files wherever they are cut', async () => {
    const whole = new Uint8Array(await golden('text-classes').arrayBuffer());
    for (let length = 0; length < whole.length; length += 61) {
      const cut = new Blob([whole.slice(0, length)]);
      const options = { prompt: '{first}', answers: THREE };
      await expect(openTextDataset(cut, 'cut.parquet', options)).rejects.toMatchObject({
        kind: expect.stringMatching(/parse|unsupported/) as string,
        message: expect.stringContaining('cut.parquet') as string,
      });
    }
  });
});
