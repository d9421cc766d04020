/** Where things stand on the page, from phone to wide screen, on a worker that the test plays. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { showResults } from '@/store/actions/results';
import { resetJob } from '@/store/actions/job';
import {
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { startPage } from '@/store/actions/start';
import { App } from './app';
import './tokens.css';
import './base.css';
import './fonts/wide.fixture.css';

const DONE = { status: 'done' } as const;

let worker: ScriptedWorker;
let root: Root;

async function openGroup(): Promise<void> {
  worker.last().emit({
    type: 'engine',
    engine: 'webgpu',
    adapter: { vendor: 'acme', architecture: 'one', description: '', fallback: false },
    evaluator: 'onnxruntime webgpu',
  });
  await openAndLoad(worker, groupOf(['a', 'b'], 200));
}

function emitScores(method: string, share: number): void {
  for (const task of ['a', 'b']) {
    const metric = 'accuracy' as const;
    const score = { method, task, metric, value: share, n: 200, total: 200 };
    worker.last().emit({ type: 'score', score });
  }
  showResults();
}

/** Method, average and megabytes of the embedded fine-tunes: points as close as they come. */
const DEMO_POINTS = [
  ['pretrained', 0.49, 2.8],
  ['finetuned', 0.871, 12.2],
  ['merged', 0.525, 2.81],
  ['post-pruning@1', 0.63, 3.01],
  ['post-pruning@5', 0.82, 3.48],
  ['post-pruning@10', 0.857, 4.06],
  ['peru-fft@1', 0.685, 3.02],
  ['peru-fft@5', 0.83, 3.49],
  ['peru-fft@10', 0.858, 4.07],
] as const;

/** Whether two drawn things come within two pixels of each other; a name's box has air above. */
function touch(a: Element, b: Element): boolean {
  const [one, other] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
  return (
    one.left - 2 < other.right &&
    other.left - 2 < one.right &&
    one.top + 2 < other.bottom &&
    other.top + 2 < one.bottom
  );
}

/** Pixels between the nearest points of two boxes. */
function distance(a: Element, b: Element): number {
  const [one, other] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
  const dx = Math.max(0, one.left - other.right, other.left - one.right);
  const dy = Math.max(0, one.top - other.bottom, other.top - one.bottom);
  return Math.hypot(dx, dy);
}

function nameOf(element: Element): string {
  return element.textContent || `the mark of ${element.getAttribute('data-family') ?? ''}`;
}

/** The page must hold in its own faces, and where the machine's, which may be wider, stand in. */
describe.each(['own', 'wide'])('the layout in the %s face', (face) => {
  const { innerWidth, innerHeight } = window;

  beforeEach(async () => {
    document.documentElement.dataset['face'] = face;
    resetJob();
    const host = document.createElement('div');
    document.body.append(host);
    worker = scriptedWorker();
    root = createRoot(host);
    root.render(createElement(App));
    void startPage(worker, { search: '?m=10', replace: () => undefined });
    await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
    await document.fonts.ready;
  });

  afterEach(async () => {
    root.unmount();
    document.body.replaceChildren();
    delete document.documentElement.dataset['face'];
    // Measures the empty page: else how far this test has scrolled is where the next one begins.
    window.scrollTo(0, 0);
    await page.viewport(innerWidth, innerHeight);
  });

  it('keeps progress in view on wide screens, above what follows it', async () => {
    await page.viewport(1280, 800);
    await openGroup();
    const bar = page.getByRole('status').element();
    const story = page.getByRole('heading', { name: /One model in place/ }).element();
    const button = page.getByRole('button', { name: 'Download results' }).element();
    expect(button.getBoundingClientRect().bottom).toBeLessThan(story.getBoundingClientRect().top);
    page.getByRole('heading', { name: 'Checkpoints' }).element().scrollIntoView();
    await expect.poll(() => story.getBoundingClientRect().bottom).toBeLessThan(0);
    const { top, bottom } = bar.getBoundingClientRect();
    expect(top).toBeGreaterThanOrEqual(0);
    expect(bottom).toBeLessThan(100);
  });

  it('shows PERU-FFT beside the tasks first on a phone, and nothing is wider than it', async () => {
    await page.viewport(360, 740);
    await openGroup();
    const inView = (name: string) =>
      page.getByRole('columnheader', { name, exact: true }).element().getBoundingClientRect();
    await expect.poll(() => inView('PERU-FFT (10 %)').right).toBeLessThanOrEqual(360);
    expect(inView('Task').left).toBeGreaterThanOrEqual(0);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
  });

  it('keeps progress in view on a phone, from the top of the page to its end', async () => {
    await page.viewport(360, 740);
    await openGroup();
    const cancel = page.getByRole('button', { name: 'Cancel' }).element();
    const height = () => document.documentElement.scrollHeight;
    expect(height()).toBeGreaterThan(3 * 740);
    for (const top of [0, height()]) {
      window.scrollTo(0, top);
      await expect.poll(() => window.scrollY > 0).toBe(top > 0);
      const box = cancel.getBoundingClientRect();
      expect(box.top).toBeGreaterThanOrEqual(0);
      expect(box.bottom).toBeLessThanOrEqual(740);
    }
    await worker.last().end(DONE);
    const status = page.getByRole('status').element();
    await expect.poll(() => status.getBoundingClientRect().bottom).toBeLessThan(0);
    window.scrollTo(0, 0);
    await expect.poll(() => status.getBoundingClientRect().bottom).toBeLessThan(740);
  });

  it('draws accuracy against bytes on a phone with every name clear of marks and names', async () => {
    await page.viewport(360, 740);
    await openGroup();
    const rows = DEMO_POINTS.map(([method, share, megabytes]) => {
      emitScores(method, share);
      return { method, files: [], bytes: megabytes * 1e6 };
    });
    worker.last().emit({ type: 'storage', rows });
    showResults();
    const chart = page.getByRole('img', { name: 'Accuracy against bytes' });
    await expect.poll(() => chart.element().querySelectorAll('circle')).toHaveLength(rows.length);
    const marks = [...chart.element().querySelectorAll('circle')];
    const labels = [...chart.element().querySelectorAll('text[data-family]')];
    const names = labels.map(({ textContent }) => textContent);
    expect(names).toEqual(expect.arrayContaining(['PERU-FFT 10 %', 'Post-Pruning 10 %']));
    for (const label of labels) {
      const others = [...marks, ...labels].filter((other) => other !== label);
      expect(others.filter((other) => touch(label, other)).map(nameOf), nameOf(label)).toEqual([]);
    }
    const label = labels.find(({ textContent }) => textContent === 'PERU-FFT 10 %')!;
    const along = marks.filter((mark) => mark.dataset['family'] === 'peru-fft');
    const away = along.map((mark) => distance(label, mark));
    expect(away.at(-1), 'a name stands nearest to its own point').toBe(Math.min(...away));
  });

  it('is large enough for fingers on a phone: 40 pixels a target', async () => {
    await page.viewport(360, 740);
    await openGroup();
    emitScores('merged', 0.5);
    const targets = [...document.querySelectorAll('button, summary, select, label:has(input)')];
    const sizes = targets.map((target) => {
      return { name: target.textContent, height: target.getBoundingClientRect().height };
    });
    expect(sizes.length).toBeGreaterThan(12);
    expect(sizes.filter(({ height }) => height > 0 && height < 40)).toEqual([]);
  });
});
