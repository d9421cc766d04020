/** The page with two tasks and with fifty, on a worker that the test plays. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { showResults } from '@/store/actions/results';
import { resetJob } from '@/store/actions/job';
import {
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { addFiles } from '@/store/actions/sources';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from '@/store/actions/start';
import { type ErrorFacts } from '@/core/errors';
import { App } from './app';
import { MANY } from '@/ui/components/many';
import './tokens.css';
import './base.css';

const DONE = { status: 'done' } as const;
const METHODS = ['pretrained', 'finetuned', 'merged', 'post-pruning@10', 'peru-fft@10'];
const { innerWidth, innerHeight } = window;

let worker: ScriptedWorker;
let root: Root;

beforeEach(async () => {
  await page.viewport(1280, 800);
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  const host = document.createElement('div');
  document.body.append(host);
  worker = scriptedWorker();
  root = createRoot(host);
  root.render(createElement(App));
  void startPage(worker, { search: '?m=10', replace: () => undefined });
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
});

afterEach(async () => {
  root.unmount();
  document.body.replaceChildren();
  window.scrollTo(0, 0);
  await page.viewport(innerWidth, innerHeight);
});

/** Files of so many tasks, dropped and being opened. */
async function drop(tasks: number): Promise<string[]> {
  const names = Array.from({ length: tasks }, (_, i) => `task${i + 1}`);
  const asked = worker.jobs.length;
  addFiles(['base', ...names].map((path) => ({ path, file: new File(['x'], path) })));
  await expect.poll(() => worker.jobs.length).toBeGreaterThan(asked);
  return names;
}

/** Files of so many tasks, opened and scored to the end. */
async function openScored(tasks: number, rowCount: number | null = 200): Promise<void> {
  const names = await drop(tasks);
  await openAndLoad(worker, groupOf(names, rowCount));
  for (const method of rowCount === null ? [] : METHODS) {
    for (const task of names) {
      const score = { method, task, metric: 'accuracy', value: 0.8, n: 200, total: 200 } as const;
      worker.last().emit({ type: 'score', score });
    }
  }
  const files = [{ name: 'x', bytes: 4000 }];
  const rows = METHODS.map((method) => ({ method, files, bytes: 4000 }));
  worker.last().emit({ type: 'storage', rows });
  showResults();
  await worker.last().end(DONE);
}

const box = (element: Element): DOMRect => element.getBoundingClientRect();
const table = (name: string) => page.getByRole('table', { name });

describe('the first result', () => {
  it.each([2, 50])('is in the first screen with %i tasks', async (tasks) => {
    await openScored(tasks);
    const [, first] = table('Accuracy by task').getByRole('row').elements();
    await expect.poll(() => first!.textContent).toContain('80.0');
    expect(window.scrollY).toBe(0);
    expect(box(first!).bottom).toBeLessThanOrEqual(800);
  });

  it.each([2, 50])('is in the first screen with %i tasks that have no score', async (tasks) => {
    await openScored(tasks, null);
    const [, first] = table('Storage').getByRole('row').elements();
    expect(box(first!).bottom).toBeLessThanOrEqual(800);
  });
});

describe('a table of fifty', () => {
  it('scrolls by itself, from the keyboard, between its headings and the average', async () => {
    await openScored(50);
    const region = page.getByRole('region', { name: 'Accuracy by task, scrollable' }).element();
    region.scrollIntoView();
    const [head, ...rows] = table('Accuracy by task').getByRole('row').elements();
    const average = rows.at(-1)!;
    expect(average.textContent).toMatch(/^Average/);
    const isInside = (row: Element): boolean =>
      box(row).top >= box(region).top - 1 && box(row).bottom <= box(region).bottom + 1;
    expect(box(region).height).toBeLessThanOrEqual(0.75 * 800 + 1);
    expect([head!, average].every((row) => isInside(row.firstElementChild!))).toBe(true);
    expect(isInside(rows[40]!)).toBe(false);
    (region as HTMLElement).focus();
    await userEvent.keyboard('{End}');
    await expect.poll(() => isInside(rows[49]!)).toBe(true);
    expect([head!, average].every((row) => isInside(row.firstElementChild!))).toBe(true);
  });

  it('is as long as it is where there are few', async () => {
    await openScored(8);
    const region = page.getByRole('region', { name: 'Accuracy by task, scrollable' }).element();
    expect(region.scrollHeight).toBeLessThanOrEqual(region.clientHeight + 1);
  });
});

describe('checkpoints', () => {
  it('are cards while they are few', async () => {
    await openScored(MANY - 2);
    expect(table('Checkpoints').elements()).toHaveLength(0);
    expect(page.getByRole('button', { name: /^Use as base/ }).elements()).toHaveLength(MANY - 2);
  });

  it('are a table from nine on, with a way to another base in each row that is pointed at', async () => {
    await openScored(MANY - 1);
    const rows = table('Checkpoints').getByRole('row').elements();
    expect(rows).toHaveLength(1 + MANY);
    const row = table('Checkpoints').getByRole('row', { name: /TASK3/ });
    const button = row.getByRole('button', { name: /^Use as base.*TASK3$/ });
    await userEvent.hover(page.getByRole('heading', { name: 'Checkpoints' }));
    await expect.poll(() => getComputedStyle(button.element()).opacity).toBe('0');
    await userEvent.hover(row);
    await expect.poll(() => getComputedStyle(button.element()).opacity).toBe('1');
    await userEvent.click(button);
    expect(worker.last()).toMatchObject({ asked: 'open' });
  });
});

describe('the line of sources', () => {
  const line = () => page.getByText(/^Test group: one base and 24 fine-tunes/).first();

  it('unfolds and folds, and keeps the keyboard near', async () => {
    await openScored(24);
    await expect.element(line()).toBeVisible();
    const change = page.getByRole('button', { name: 'Change' });
    const demo = page.getByRole('button', { name: 'Demo: LoRA adapters' });
    expect(demo.elements()).toHaveLength(0);
    await userEvent.click(change);
    await expect.element(change).toHaveAttribute('aria-expanded', 'true');
    await expect.element(demo).toBeVisible();
    const sets = page.getByRole('list', { name: 'Added files' });
    const items = sets.getByRole('listitem').elements();
    const names = items.map((item) => item.firstElementChild?.textContent);
    expect(names.slice(0, 4)).toEqual(['base', 'task1', 'task2', 'task3']);
    expect(box(sets.element()).height).toBeLessThan(300);
    await userEvent.click(change);
    expect(demo.elements()).toHaveLength(0);
    await userEvent.click(page.getByRole('button', { name: 'Close' }));
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
    expect(document.activeElement?.textContent).toBe('Sources');
    await expect.element(demo).toBeVisible();
  });

  it('takes more files while it is folded', async () => {
    await openScored(2);
    const input = page.getByLabelText('Add checkpoint files');
    await userEvent.upload(input, new File(['x'], 'more.safetensors'));
    await expect
      .poll(() => worker.last().request)
      .toMatchObject({ files: [{}, {}, {}, { path: 'more.safetensors' }] });
  });
});

describe('an alert', () => {
  const fail = (error: Partial<ErrorFacts>): Promise<void> =>
    worker.last().end({
      status: 'failed',
      error: { kind: 'parse', message: 'It failed.', hint: 'Look.', ...error },
    });
  const strong = (): string[] =>
    [...page.getByRole('alert').element().querySelectorAll('button')]
      .filter(({ className }) => className.includes('strong'))
      .map(({ textContent }) => textContent);

  it('has no strong button where no button helps', async () => {
    await drop(2);
    await fail({ kind: 'mismatch' });
    await expect.element(page.getByRole('button', { name: 'Try again' })).toBeVisible();
    expect(strong()).toEqual([]);
  });

  it('makes the one strong that helps', async () => {
    await drop(2);
    await fail({ kind: 'source', mayPass: true });
    await expect.poll(strong).toEqual(['Try again']);
    await drop(2);
    await fail({ kind: 'non-finite' });
    await expect.poll(strong).toEqual(['Go on with NaN and Inf inside']);
  });

  it('asks for one of many bases by a list that opens nothing before it is told to', async () => {
    const choices = (await drop(24)).map((name) => ({ id: name, name }));
    await fail({ kind: 'choose-base', choices });
    const list = page.getByRole('combobox', { name: 'Base model' });
    const asked = worker.jobs.length;
    expect(box(list.element()).bottom).toBeLessThanOrEqual(800);
    await userEvent.selectOptions(list, 'task7');
    expect(worker.jobs).toHaveLength(asked);
    await userEvent.click(page.getByRole('button', { name: 'Use task7 as base' }));
    expect(worker.last().request).toMatchObject({ kind: 'files', base: 'task7' });
  });
});
