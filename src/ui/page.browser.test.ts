/** The page in a real browser, by role and name, on a worker that does what the test says. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { showResults } from '@/store/actions/results';
import { raiseAlert, resetJob } from '@/store/actions/job';
import {
  adapterGroupOf,
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { startPage } from '@/store/actions/start';
import { PeruError } from '@/core/errors';
import { App } from './app';
import './tokens.css';
import './base.css';

const DONE = { status: 'done' } as const;

let worker: ScriptedWorker;
let root: Root;

beforeEach(async () => {
  resetJob();
  const host = document.createElement('div');
  document.body.append(host);
  worker = scriptedWorker();
  root = createRoot(host);
  root.render(createElement(App));
  void startPage(worker, { search: '?m=10', replace: () => undefined });
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
});

afterEach(() => {
  root.unmount();
  document.body.replaceChildren();
  // Measures the empty page: else how far this test has scrolled is where the next one begins.
  window.scrollTo(0, 0);
});

async function openGroup(rowCount: number | null = 200): Promise<void> {
  worker.last().emit({
    type: 'engine',
    engine: 'webgpu',
    adapter: { vendor: 'acme', architecture: 'one', description: '', fallback: false },
    evaluator: rowCount === null ? '' : 'onnxruntime webgpu',
  });
  await openAndLoad(worker, groupOf(['a', 'b'], rowCount));
}

function emitScores(method: string, share: number): void {
  for (const task of ['a', 'b']) {
    const metric = 'accuracy' as const;
    const score = { method, task, metric, value: share, n: 200, total: 200 };
    worker.last().emit({ type: 'score', score });
  }
  showResults();
}

function slider() {
  return page.getByRole('slider', { name: 'Kept entries m (%)' });
}

describe('the table', () => {
  it('shows the percentage first in each cell, and the average in its own row', async () => {
    await openGroup();
    emitScores('merged', 0.5);
    emitScores('finetuned', 0.9);
    emitScores('peru-fft@10', 0.875);
    const table = page.getByRole('table', { name: 'Accuracy by task' });
    await expect
      .element(table.getByRole('columnheader', { name: 'PERU-FFT (10 %)' }))
      .toBeVisible();
    const rows = table.getByRole('row').elements();
    expect(rows).toHaveLength(4);
    for (const row of rows.slice(1)) {
      const cells = [...row.querySelectorAll('td')].map((cell) => cell.innerText);
      expect(cells[0]).toContain('–');
      expect(cells[2]).toMatch(/^50\.0 %/);
      expect(cells[4]).toMatch(/^87\.5 %/);
      expect(cells[4]).toContain('+37.5');
    }
    expect(rows.at(-1)?.textContent).toMatch(/^Average/);
    await expect
      .element(page.getByRole('heading', { name: /loses 40\.0 points .* bring back 37\.5/ }))
      .toBeVisible();
  });

  it('does not move while numbers come in', async () => {
    await openGroup();
    const table = page.getByRole('table', { name: 'Accuracy by task' });
    const before = table.element().getBoundingClientRect();
    for (const method of ['pretrained', 'finetuned', 'merged', 'post-pruning@10', 'peru-fft@10']) {
      emitScores(method, 0.5);
    }
    await expect.element(table.getByText('n 400').first()).toBeVisible();
    const after = table.element().getBoundingClientRect();
    expect([after.top, after.width, after.height]).toEqual([
      before.top,
      before.width,
      before.height,
    ]);
  });

  it('gives way to the reason where nothing is scored', async () => {
    await openGroup(null);
    await expect
      .element(page.getByText(/^No accuracy here: the files carry no data set\.$/))
      .toBeVisible();
    expect(page.getByText(/evaluating with/).elements()).toHaveLength(0);
    expect(page.getByRole('table', { name: 'Accuracy by task' }).elements()).toHaveLength(0);
  });
});

describe('the slider', () => {
  it('follows the keyboard, shares its name with a number field, and asks once a step', async () => {
    await openGroup();
    await worker.last().end(DONE);
    const asked = worker.jobs.length;
    slider().element().focus();
    await userEvent.keyboard('{ArrowLeft}');
    expect(worker.jobs).toHaveLength(asked + 1);
    expect(worker.last().recipe?.keptPercent).toBe(9.9);
    const field = page.getByRole('spinbutton', { name: 'Kept entries m (%)' });
    await expect.element(field).toHaveValue(9.9);
  });

  it('shows counts while it moves and computes only on release', async () => {
    await openGroup();
    const asked = worker.jobs.length;
    const input = slider().element() as HTMLInputElement;
    // Past React's own setter, as the browser does while the thumb is dragged.
    Reflect.set(HTMLInputElement.prototype, 'value', '5', input);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    await expect.element(page.getByText('50 of 1,000 entries a task')).toBeVisible();
    expect(worker.jobs).toHaveLength(asked);
    input.dispatchEvent(new Event('change', { bubbles: true }));
    expect(worker.jobs).toHaveLength(asked + 1);
  });

  it('takes values beyond its end from the number field, and nothing that is no number', async () => {
    await openGroup();
    const field = page.getByRole('spinbutton', { name: 'Kept entries m (%)' });
    await userEvent.fill(field, '50');
    await userEvent.keyboard('{Enter}');
    expect(worker.last().recipe?.keptPercent).toBe(50);
    await expect.element(slider()).toHaveValue('20');
    await userEvent.fill(field, '');
    await userEvent.keyboard('{Tab}');
    await expect.element(field).toHaveValue(50);
  });

  it('forgets half-typed numbers when the field is left empty or as it was', async () => {
    await openGroup();
    const asked = worker.jobs.length;
    const field = page.getByRole('spinbutton', { name: 'Kept entries m (%)' });
    for (const rest of ['', '10']) {
      await userEvent.tripleClick(field);
      await userEvent.keyboard('5');
      await expect.element(page.getByText('50 of 1,000 entries a task')).toBeVisible();
      await userEvent.keyboard(`{Backspace}${rest}{Tab}`);
      await expect.element(field).toHaveValue(10);
      await expect.element(page.getByText('100 of 1,000 entries a task')).toBeVisible();
      await expect.element(slider()).toHaveValue('10');
    }
    expect(worker.jobs).toHaveLength(asked);
  });

  it('commits what was typed on leaving the field, also where the browser reports no change', async () => {
    await openGroup();
    const field = page.getByRole('spinbutton', { name: 'Kept entries m (%)' });
    await userEvent.click(field);
    // A value set by script counts as known to the page: no `change` follows it on blur.
    Reflect.set(HTMLInputElement.prototype, 'value', '5', field.element());
    field.element().dispatchEvent(new Event('input', { bubbles: true }));
    await expect.element(page.getByText('50 of 1,000 entries a task')).toBeVisible();
    await userEvent.keyboard('{Tab}');
    expect(worker.last().recipe?.keptPercent).toBe(5);
  });

  it('claims no kept energy where NaN or Inf is inside', async () => {
    await openGroup();
    const counts = new Uint32Array(2048).fill(10, 900, 1000);
    const nan = Uint32Array.from(counts).fill(1, 2044, 2045);
    const both = (a: Uint32Array, b: Uint32Array) => [
      { task: 'a', counts: a },
      { task: 'b', counts: b },
    ];
    worker.last().emit({ type: 'histograms', histograms: both(nan, counts) });
    await expect
      .element(page.getByText(/^From the histogram.*Others not defined: NaN or Inf inside/))
      .toBeVisible();
    for (const task of ['a', 'b']) {
      const method = 'peru-fft@10';
      const facts = { method, task, kept: 100, nonZero: 100, energyShare: null };
      worker.last().emit({ type: 'sparse', facts });
    }
    await expect.element(page.getByText('Not defined: NaN or Inf inside.')).toBeVisible();
    expect(page.getByText(/Summed exactly/).elements()).toHaveLength(0);
  });
});

describe('full fine-tunes that answer texts', () => {
  it('are never said to name images', async () => {
    const { cards } = adapterGroupOf(['a', 'b']);
    await openAndLoad(worker, { ...groupOf(['a', 'b']), cards });
    for (const method of ['pretrained', 'finetuned', 'merged', 'peru-fft@10']) {
      emitScores(method, method === 'finetuned' ? 0.9 : 0.5);
    }
    const progress = { stage: 'Scoring', done: 30, total: 120, unit: 'texts' } as const;
    worker.last().emit({ type: 'progress', progress });
    await expect.element(page.getByText(/^Share of answers that are right \(where/)).toBeVisible();
    await expect.element(page.getByText('30 of 120 texts')).toBeVisible();
    const average = page.getByText(/Average of accuracies and correlations, 400 test texts/);
    await expect.element(average).toBeVisible();
    const heading = page.getByRole('heading', { name: /loses 40\.0 points on average\./ });
    await expect.element(heading).toBeVisible();
    await worker.last().end(DONE);
    await expect
      .element(page.getByRole('status'))
      .toHaveTextContent(/2 tasks scored on 400 texts$/);
    for (const name of ['Accuracy by task', 'Accuracy against bytes', 'Checkpoints']) {
      const region = page.getByRole('region', { name, exact: true });
      await expect.element(region).not.toHaveTextContent(/\bimages?\b/);
    }
  });
});

describe('work and failure', () => {
  it('shows progress while it runs, and Cancel ends it', async () => {
    await openGroup();
    const progress = { stage: 'Scoring', done: 30, total: 120, unit: 'images' } as const;
    worker.last().emit({ type: 'progress', progress });
    const bar = page.getByRole('progressbar', { name: 'Scoring' });
    await expect.element(bar).toHaveAttribute('value', '30');
    await userEvent.click(page.getByRole('button', { name: 'Cancel' }));
    await expect.element(page.getByRole('status')).toHaveTextContent(/^Cancelled/);
    expect(page.getByRole('progressbar').elements()).toHaveLength(0);
    expect(worker.cancelCount()).toBe(1);
  });

  it('says done only at the end', async () => {
    await openGroup();
    const status = page.getByRole('status');
    await expect.element(status).toHaveTextContent(/^Merging/);
    await worker.last().end(DONE);
    await expect.element(status).toHaveTextContent(/^Done in .*: 2 tasks scored on 400 images$/);
  });

  it('shows one alert with what failed, what to do, and a way on', async () => {
    const error = { kind: 'parse', message: 'x.safetensors is cut off.', hint: 'Get it again.' };
    await worker.last().end({ status: 'failed', error: { ...error, kind: 'parse' } });
    const alert = page.getByRole('alert');
    await expect.element(alert).toHaveTextContent(/x\.safetensors is cut off\..*Get it again\./);
    await userEvent.click(alert.getByRole('button', { name: 'Try again' }));
    expect(alert.elements()).toHaveLength(0);
    expect(worker.jobs).toHaveLength(2);
  });

  it('promises nothing once the opening has failed, and can run again after Dismiss', async () => {
    const error = { kind: 'source', message: 'No file.', hint: 'Look.' } as const;
    await worker.last().end({ status: 'failed', error });
    await expect.element(page.getByText(/^No checkpoints are open\./)).toBeVisible();
    const names = page.getByRole('heading', { level: 2 }).elements();
    const sections = names.map(({ textContent }) => textContent);
    expect(sections).toEqual(['Sources', 'Recipe', 'Checkpoints']);
    const again = page.getByRole('button', { name: 'Run again' });
    expect(again.elements()).toHaveLength(0);
    await userEvent.click(page.getByRole('button', { name: 'Dismiss' }));
    await userEvent.click(again);
    expect(worker.jobs).toHaveLength(2);
    await expect.element(page.getByText('Reading headers.')).toBeVisible();
    await expect.element(page.getByRole('heading', { name: 'Storage' })).toBeVisible();
  });

  it('offers to try again only where a job has failed', async () => {
    await openGroup();
    raiseAlert(new PeruError('unsupported', 'That can not be opened.', 'Open another.'));
    const alert = page.getByRole('alert');
    const again = alert.getByRole('button', { name: 'Try again' });
    await expect.element(alert).toBeVisible();
    expect(again.elements()).toHaveLength(0);
    await worker.last().end(DONE);
    await expect.element(page.getByRole('status')).toHaveTextContent(/^Done/);
    expect(again.elements()).toHaveLength(0);
    await userEvent.click(alert.getByRole('button', { name: 'Dismiss' }));
    expect(alert.elements()).toHaveLength(0);
  });

  it('offers to go on only where NaN or Inf is the trouble', async () => {
    const error = {
      kind: 'non-finite',
      message: 'b.bias holds NaN.',
      hint: 'Go on or not.',
    } as const;
    await worker.last().end({ status: 'failed', error });
    await expect.element(page.getByRole('button', { name: /NaN and Inf/ })).toBeVisible();
  });
});

it('takes files through the labelled input', async () => {
  await openGroup();
  const input = page.getByLabelText('Add checkpoint files');
  await userEvent.upload(input, new File(['x'], 'base.safetensors'));
  await expect
    .poll(() => worker.last().request)
    .toMatchObject({ files: [{ path: 'base.safetensors' }] });
});

it('takes files dropped anywhere on the page', async () => {
  await openGroup();
  const dataTransfer = new DataTransfer();
  for (const name of ['base.safetensors', 'task.safetensors']) {
    dataTransfer.items.add(new File([name], name));
  }
  const target = page.getByRole('heading', { level: 1 }).element();
  const drag = { dataTransfer, bubbles: true, cancelable: true };
  target.dispatchEvent(new DragEvent('dragenter', drag));
  await expect.element(page.getByText(/Drop a base and its fine-tunes/)).toBeVisible();
  target.dispatchEvent(new DragEvent('drop', drag));
  await expect
    .poll(() => worker.last().request)
    .toMatchObject({ files: [{ path: 'base.safetensors' }, { path: 'task.safetensors' }] });
  expect(page.getByText(/Drop a base and its fine-tunes/).elements()).toHaveLength(0);
});

it('says why the processor computes, and what to do about it', async () => {
  worker.last().emit({
    type: 'engine',
    engine: 'processor',
    adapter: { vendor: '', architecture: '', description: '', fallback: true },
    evaluator: '',
    noGpu: { kind: 'gpu-unavailable', message: 'No adapter.', hint: 'Update the driver.' },
  });
  await expect.element(page.getByText(/No adapter.*processor.*Update the driver/)).toBeVisible();
});
