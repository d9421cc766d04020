/** The page with a group of adapters open, by role and keyboard; the worker is scripted. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { showResults } from '@/store/actions/results';
import { resetJob } from '@/store/actions/job';
import {
  adapterGroupOf,
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
  spectraOf,
} from '@/store/state/scripted-worker';
import { startPage } from '@/store/actions/start';
import { App } from './app';
import './tokens.css';
import './base.css';

const DONE = { status: 'done' } as const;
const TASKS = ['a', 'b', 'c'];
const group = adapterGroupOf(TASKS);

let worker: ScriptedWorker;
let root: Root;

beforeEach(async () => {
  resetJob();
  const host = document.createElement('div');
  document.body.append(host);
  worker = scriptedWorker();
  root = createRoot(host);
  root.render(createElement(App));
  void startPage(worker, { search: '?demo=lora', replace: () => undefined });
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
});

afterEach(() => {
  root.unmount();
  document.body.replaceChildren();
});

async function openAdapters(opened = group): Promise<void> {
  await openAndLoad(worker, opened);
  worker.last().emit(spectraOf(opened.contents));
}

function emitScores(method: string, value: number): void {
  TASKS.forEach((task, i) => {
    const metric = i === TASKS.length - 1 ? 'spearman' : 'accuracy';
    worker.last().emit({
      type: 'score',
      score: { method, task, metric, value, n: 200, total: 200 },
    });
  });
}

function emitStorage(sizes: Readonly<Record<string, number>>): void {
  const rows = Object.entries(sizes).map(([method, bytes]) => ({ method, files: [], bytes }));
  worker.last().emit({ type: 'storage', rows });
  showResults();
}

const rankSlider = () => page.getByRole('slider', { name: 'Rank q' });
const rankField = () => page.getByRole('spinbutton', { name: 'Rank q' });
const mode = () => page.getByRole('combobox', { name: 'Rank chosen by' });
/** Of 3 tasks with 18 modules of 16 triplets. */
const triplets = (kept: string) => page.getByText(`in all: ${kept} of 864 triplets`);

/** Past React's own setter, as the browser does while the thumb is dragged. */
function drag(slider: Element, value: number): void {
  Reflect.set(HTMLInputElement.prototype, 'value', String(value), slider);
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}

describe('the controls', () => {
  it('are those of adapters, and those of full fine-tunes go', async () => {
    await openAdapters();
    await expect.element(rankSlider()).toHaveValue('8');
    await expect.element(rankSlider()).toHaveAttribute('max', '16');
    await expect.element(rankField()).toHaveValue(8);
    await expect.element(page.getByRole('combobox', { name: 'Merge method' })).toBeVisible();
    await expect.element(page.getByRole('slider', { name: 'Coefficient λ' })).toBeVisible();
    expect(page.getByRole('slider', { name: 'Kept entries m (%)' }).elements()).toHaveLength(0);
    expect(page.getByRole('combobox', { name: 'Rank entries across' }).elements()).toHaveLength(0);
    await userEvent.click(page.getByRole('button', { name: 'Demo: full fine-tunes' }));
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'fft' });
    worker.last().emit({ type: 'group', group: groupOf(['a']) });
    await expect.element(page.getByRole('slider', { name: 'Kept entries m (%)' })).toBeVisible();
    expect(rankSlider().elements()).toHaveLength(0);
    await userEvent.click(page.getByRole('button', { name: 'Demo: LoRA adapters' }));
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'lora' });
  });

  it('show triplets and bytes while the rank moves, and compute only on release', async () => {
    await openAdapters();
    await worker.last().end(DONE);
    const asked = worker.jobs.length;
    await expect.element(triplets('432')).toBeVisible();
    drag(rankSlider().element(), 4);
    await expect.element(triplets('216')).toBeVisible();
    expect(worker.jobs).toHaveLength(asked);
    rankSlider()
      .element()
      .dispatchEvent(new Event('change', { bubbles: true }));
    expect(worker.jobs).toHaveLength(asked + 1);
    expect(worker.last().recipe?.rank).toEqual({ by: 'count', q: 4 });
  });

  it('answer to the keyboard, a step a job', async () => {
    await openAdapters();
    rankSlider().element().focus();
    await userEvent.keyboard('{ArrowLeft}');
    expect(worker.last().recipe?.rank).toEqual({ by: 'count', q: 7 });
    await expect.element(triplets('378')).toBeVisible();
    await userEvent.fill(rankField(), '200');
    await userEvent.keyboard('{Enter}');
    expect(worker.last().recipe?.rank, 'no adapter has more').toEqual({ by: 'count', q: 16 });
    await expect.element(page.getByText('100.0 %').first()).toBeVisible();
  });

  it('choose ranks by kept energy, each module by itself', async () => {
    await openAdapters();
    await userEvent.selectOptions(mode(), 'energy');
    expect(worker.last().recipe?.rank).toEqual({ by: 'energy', percent: 95 });
    const slider = page.getByRole('slider', { name: 'Kept energy (%)' });
    slider.element().focus();
    await userEvent.keyboard('{End}');
    expect(worker.last().recipe?.rank).toEqual({ by: 'energy', percent: 100 });
    await expect.element(triplets('864')).toBeVisible();
  });

  it('choose ranks by a byte budget over all tasks, half of the bytes at first', async () => {
    await openAdapters();
    await userEvent.selectOptions(mode(), 'bytes');
    const full = 3 * 18 * 16 * 4 * (64 + 64);
    const budget = () => {
      const rank = worker.last().recipe?.rank;
      return rank?.by === 'bytes' ? rank.budget : NaN;
    };
    expect(budget() / full).toBeCloseTo(0.5, 1);
    const field = page.getByRole('spinbutton', { name: 'Byte budget (kB)' });
    await userEvent.fill(field, '100');
    await userEvent.keyboard('{Enter}');
    expect(budget()).toBe(100_000);
    // 512 bytes a triplet: as many as fit.
    await expect.element(triplets('195')).toBeVisible();
  });
});

describe('the table', () => {
  it('shows the metric of each task and the points against its own adapter', async () => {
    await openAdapters();
    emitScores('finetuned', 0.9);
    emitScores('merged', 0.6);
    emitScores('peru-lora@8', 0.885);
    const table = page.getByRole('table', { name: 'Accuracy by task' });
    const headers = table.getByRole('columnheader').elements();
    await expect.element(table.getByText('88.5 %').first()).toBeVisible();
    expect(headers.map(({ textContent }) => textContent)).toEqual([
      'Task',
      'Pretrained',
      'Single-task LoRA',
      'Merged adapters',
      'PERU-LoRA (q = 8)',
    ]);
    const rows = table.getByRole('row').elements().slice(1);
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const cells = [...row.querySelectorAll('td')].map((cell) => cell.innerText);
      expect(cells[3]).toMatch(/^88\.5 %/);
      expect(cells[3]).toContain('−1.5');
    }
    expect(rows.map((row) => /Spearman/.test(row.textContent))).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('the story', () => {
  it('says what the rank keeps, loses and takes, without the base', async () => {
    await openAdapters();
    for (const [method, value] of [
      ['pretrained', 0.3],
      ['merged', 0.5],
      ['finetuned', 0.9],
      ['peru-lora@8', 0.885],
    ] as const) {
      emitScores(method, value);
    }
    emitStorage({ pretrained: 1000, finetuned: 1400, merged: 1100, 'peru-lora@8': 1100 });
    const story =
      /Three adapters at rank 8 keep \d+\.\d.% of their energy, lose 1\.5 points and take 25.% of the bytes\./;
    await expect.element(page.getByRole('heading', { name: story })).toBeVisible();
    const storage = page.getByRole('table', { name: 'Storage' });
    await expect
      .element(storage.getByRole('row', { name: /PERU-LoRA \(q = 8\).*100 B.*25\.0 %/ }))
      .toBeVisible();
    await expect
      .element(page.getByRole('status'))
      .toHaveTextContent(/^Merging, compressing and scoring$/);
    await worker.last().end(DONE);
    await expect.element(page.getByRole('status')).toHaveTextContent(/scored on 600 texts$/);
    await expect
      .element(page.getByRole('img', { name: 'Accuracy against bytes' }))
      .toHaveAccessibleDescription(/PERU.LoRA.*88\.5.% in 100.B/);
  });
});

describe('the spectra', () => {
  const map = () => page.getByRole('img', { name: /^Singular values by module/ });

  it('follow the rank and the adapter chosen, with a table of the same', async () => {
    await openAdapters();
    await expect.element(map()).toHaveAccessibleDescription(/^A: 144 of 288 .* in 18 modules/);
    const drawn = () => [...map().element().querySelectorAll('path')].map((path) => path.outerHTML);
    const before = drawn();
    drag(rankSlider().element(), 4);
    await expect.element(map()).toHaveAccessibleDescription(/^A: 72 of 288/);
    expect(drawn()).not.toEqual(before);
    await userEvent.selectOptions(page.getByRole('combobox', { name: 'Adapter shown' }), 'B');
    await expect.element(map()).toHaveAccessibleName('Singular values by module: B');
    await userEvent.click(page.getByText('Show the modules as a table'));
    const rows = page
      .getByRole('table', { name: 'Singular values by module' })
      .getByRole('row')
      .elements();
    expect(rows).toHaveLength(19);
    expect(rows[1]?.textContent).toMatch(
      /^encoder\.block\.0\.layer\.0\.SelfAttention\.q64 × 644 of 16/,
    );
  });

  it('name every panel, and report how well they were computed', async () => {
    await openAdapters();
    await expect.element(map()).toBeVisible();
    for (const kind of ['encoder SelfAttention q', 'decoder EncDecAttention v']) {
      const words = [...map().element().querySelectorAll('text')].map((one) => one.textContent);
      expect(words.join(' ')).toContain(kind);
    }
    await expect
      .element(page.getByText(/^54 matrices factorised in 9 dispatches, 6 Jacobi sweeps/))
      .toHaveTextContent(/Residual at most 3\.1e-7 .* 4\.4e-7\.$/);
  });

  it('are drawn for 144 modules on a phone, and nothing is wider than it', async () => {
    const { innerWidth, innerHeight } = window;
    await page.viewport(360, 740);
    try {
      const names = Array.from({ length: 72 }, (_, i) =>
        ['q', 'v'].map((part) => `encoder.block.${i}.layer.0.SelfAttention.${part}.weight`),
      ).flat();
      await openAdapters(adapterGroupOf(TASKS, names));
      await expect.element(map()).toHaveAccessibleDescription(/in 144 modules/);
      expect(map().element().getBoundingClientRect().right).toBeLessThanOrEqual(360);
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
    } finally {
      await page.viewport(innerWidth, innerHeight);
    }
  });
});

it('the cards say what an adapter is', async () => {
  await openAdapters();
  const cards = page.getByRole('listitem').filter({ hasText: 'model-a' });
  await expect.element(cards).toHaveTextContent(/Rank16 in 18 modules/);
  await expect.element(cards).toHaveTextContent(/200 texts, 2 classes/);
  const similarity = page.getByRole('listitem').filter({ hasText: 'model-c' });
  await expect.element(similarity).toHaveTextContent(/200 texts, a number each/);
  expect(page.getByRole('button', { name: /Use as base/ }).elements()).toHaveLength(0);
});

it('promises nothing more once a run has failed', async () => {
  await openAndLoad(worker, group);
  await expect.element(page.getByText('Drawn when the adapters are factorised.')).toBeVisible();
  await expect.element(page.getByText('Known once the adapters are factorised.')).toBeVisible();
  const error = { kind: 'internal', message: 'It broke.', hint: 'Try again.' } as const;
  await worker.last().end({ status: 'failed', error });
  await expect.element(page.getByRole('alert')).toBeVisible();
  expect(page.getByText('Not computed: the run ended early.').elements()).toHaveLength(5);
  for (const promise of [/^Drawn when/, /^Known once/, /^Follows when/, /^Points appear/]) {
    expect(page.getByText(promise).elements()).toHaveLength(0);
  }
  showResults();
});
