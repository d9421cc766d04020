/** The report before Start, by role and keyboard; the worker is scripted. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { resetJob } from '@/store/actions/job';
import { groupOf, type ScriptedWorker, scriptedWorker } from '@/store/state/scripted-worker';
import { INITIAL_SETTINGS, settingsStore } from '@/store/state/settings';
import { type Preflight } from '@/store/sources/preflight';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from '@/store/actions/start';
import { App } from './app';
import { clipPreflight, streamedPreflight } from './preflight.fixture';
import './tokens.css';
import './base.css';

const DONE = { status: 'done' } as const;

let worker: ScriptedWorker;
let root: Root;

beforeEach(async () => {
  resetJob();
  settingsStore.setState(INITIAL_SETTINGS, true);
  sourcesStore.setState(INITIAL_SOURCES, true);
  const host = document.createElement('div');
  document.body.append(host);
  worker = scriptedWorker();
  root = createRoot(host);
  root.render(createElement(App));
  const link = '?base=openai/clip-vit-base-patch32&task=tanganke/clip-vit-base-patch32_dtd';
  void startPage(worker, { search: link, replace: () => undefined });
  await expect.element(page.getByRole('heading', { level: 1 })).toBeVisible();
});

afterEach(() => {
  root.unmount();
  document.body.replaceChildren();
  // They outlive the page.
  settingsStore.setState(INITIAL_SETTINGS, true);
});

async function openReport(preflight: Preflight = clipPreflight()): Promise<void> {
  worker.last().emit({
    type: 'engine',
    engine: 'webgpu',
    adapter: { vendor: 'acme', architecture: 'one', description: '', fallback: false },
    evaluator: '',
  });
  worker.last().emit({ type: 'preflight', preflight });
  await worker.last().end(DONE);
}

const start = () => page.getByRole('button', { name: 'Start', exact: true });
const status = () => page.getByRole('status');
const budget = () => page.getByRole('spinbutton', { name: 'Memory budget (GB)' });

describe('the report', () => {
  it('says what Start will do and what it costs, and waits for it', async () => {
    await openReport();
    await expect.element(status()).toHaveTextContent(/^Ready to start$/);
    const headline =
      /^Merge 8.fine.tunes of clip-vit-base-patch32: 199.tensors, 87\.5.M.parameters/;
    await expect.element(page.getByRole('heading', { name: headline })).toBeVisible();
    await expect
      .element(start())
      .toHaveAccessibleDescription('1.40 GB to fetch · about 2 min on a line of 100 Mbit/s');
    await expect.element(page.getByText(/175.MB of 1\.57.GB are kept/)).toBeVisible();
    await expect.element(page.getByText(/1\.99 GB of a budget of 4\.00.GB/)).toBeVisible();
    await expect.element(page.getByText(/^Resident: all weights stay on the GPU/)).toBeVisible();
    await expect.element(page.getByText(/has 61\.3.GB for this page/)).toBeVisible();
    expect(page.getByRole('progressbar').elements()).toHaveLength(0);
    expect(page.getByRole('button', { name: 'Cancel' }).elements()).toHaveLength(0);
    expect(page.getByRole('button', { name: 'Download results' }).elements()).toHaveLength(0);
    expect(worker.jobs).toHaveLength(1);
  });

  it('stands in the place of numbers, which follow once Start is pressed', async () => {
    const promises = ['Accuracy by task', 'Storage', 'Trade-off'];
    const shown = () =>
      promises.filter((name) => page.getByRole('heading', { name }).elements().length > 0);
    expect(shown()).toEqual([]);
    await openReport();
    expect(shown()).toEqual([]);
    start().element().focus();
    await userEvent.keyboard('{Enter}');
    expect(worker.last().asked).toBe('load');
    await expect.element(status()).toHaveTextContent('Loading the weights from huggingface.co');
    expect(start().elements(), 'nor is anything left to decide').toHaveLength(0);
    expect(budget().elements()).toHaveLength(0);
    await expect.element(page.getByRole('heading', { name: /^Merge 8/ })).toHaveFocus();
    expect(shown(), 'whether there is an accuracy is not known').toEqual([]);
    worker.last().emit({ type: 'group', group: groupOf(['a'], null) });
    await expect.element(page.getByRole('heading', { name: 'Storage' })).toBeVisible();
    await worker.last().end(DONE);
    worker.last().emit({ type: 'memory', liveBytes: 1.75e9, peakBytes: 1.93e9 });
    await worker.last().end(DONE);
    await expect.element(page.getByText(/1\.93 GB at most \(1\.99 GB planned\)/)).toBeVisible();
    await userEvent.click(page.getByText('Checks, plan and measured memory'));
    await expect.element(page.getByText('1.93 GB, 97 % of the plan')).toBeVisible();
  });

  it('tells the time at the speed measured before', async () => {
    settingsStore.setState({ rates: { fetched: 42e6, loaded: null } });
    await openReport();
    await expect
      .element(start())
      .toHaveAccessibleDescription(/about 33 s at the 42\.0 MB a second measured here last time/);
  });

  it('lists findings with warnings first, and folds tensors and what is well away', async () => {
    await openReport();
    const open = page.getByRole('list', { name: 'To look at' });
    const titles = open
      .getByRole('listitem')
      .elements()
      .map(({ textContent }) => textContent)
      .filter((text) => /^.(Warning|Note)/.test(text));
    expect(titles.map((text) => text.slice(1, 5))).toEqual(['Warn', 'Note', 'Note']);
    const tensor = open.getByText('text_model.encoder.layers.7.mlp.fc1.weight');
    await expect.element(tensor).not.toBeVisible();
    await userEvent.click(open.getByText(/^Show 100 tensors of 198/));
    await expect.element(tensor).toBeVisible();
    await expect.element(open.getByText('and 98 more')).toBeInTheDocument();
    const passed = page.getByText('199 tensors match by name and shape.');
    await expect.element(passed).not.toBeVisible();
    await userEvent.click(page.getByText('2 checks passed'));
    await expect.element(passed).toBeVisible();
  });

  it('lists the checkpoints, and takes another base', async () => {
    await openReport();
    const table = page.getByRole('table', { name: 'Checkpoints' });
    expect(table.getByRole('row').elements()).toHaveLength(10);
    await expect
      .element(table.getByRole('row', { name: /_dtd tanganke.* at 0123456 175 MB F16 87\.5 M/ }))
      .toHaveTextContent(/not stated/);
    await userEvent.click(table.getByRole('button', { name: /Use as base.*_mnist/ }));
    expect(worker.last()).toMatchObject({
      asked: 'open',
      request: { base: expect.stringContaining('_mnist@') as string },
    });
  });
});

describe('the decisions', () => {
  it('plan anew in place when a field is left; Start waits meanwhile', async () => {
    await openReport();
    await expect.element(budget()).toHaveValue(4);
    await userEvent.fill(budget(), '1');
    expect(worker.jobs).toHaveLength(1);
    await userEvent.keyboard('{Tab}');
    expect(worker.last()).toMatchObject({ asked: 'plan', choices: { budgetBytes: 1e9 } });
    await expect.element(status()).toHaveTextContent('Planning anew');
    await expect.element(start()).toBeDisabled();
    worker.last().emit({ type: 'preflight', preflight: streamedPreflight() });
    await worker.last().end(DONE);
    await expect
      .element(page.getByText(/^Streamed: .* is read 3 times, piece by piece/))
      .toBeVisible();
    await expect.element(start()).toBeEnabled();
    expect(settingsStore.getState().budgetBytes).toBe(1e9);
    await userEvent.click(page.getByRole('button', { name: 'Use 4.00 GB' }));
    expect(worker.last().choices?.budgetBytes).toBeNull();
  });

  it('take back what is no budget', async () => {
    await openReport();
    for (const text of ['0', '-3']) {
      await userEvent.fill(budget(), text);
      await userEvent.keyboard('{Tab}');
      await expect.element(budget()).toHaveValue(4);
    }
    expect(worker.jobs).toHaveLength(1);
  });

  it('read patterns one a line or with commas, and show those applied', async () => {
    await openReport();
    const field = page.getByRole('textbox', { name: 'Exclude names' });
    await userEvent.fill(field, '*.bias, head.*\n*.bias');
    await userEvent.keyboard('{Tab}');
    expect(worker.last().choices).toMatchObject({ exclude: ['*.bias', 'head.*'], include: [] });
    await worker.last().end(DONE);
    await expect.element(field).toHaveValue('*.bias\nhead.*');
    await userEvent.fill(page.getByRole('textbox', { name: 'Include names' }), 'vision_model.*');
    await userEvent.keyboard('{Tab}');
    expect(worker.last().choices).toMatchObject({
      include: ['vision_model.*'],
      exclude: ['*.bias', 'head.*'],
    });
  });

  it('say why Start can not be pressed', async () => {
    const { memory } = streamedPreflight();
    const { leastBytes } = memory;
    const small = { ...memory, peakBytes: leastBytes, suggestedBudgetBytes: 4e8, budgetBytes: 4e8 };
    await openReport(clipPreflight({ memory: small, startsByItself: true }));
    await expect.element(start()).toBeDisabled();
    await expect
      .element(start())
      .toHaveAccessibleDescription(
        /^Even streamed, this needs 525 MB of memory in all, and the budget is 400 MB/,
      );
    expect(page.getByRole('alert').elements()).toHaveLength(0);
    await userEvent.fill(budget(), '0.525');
    await userEvent.keyboard('{Enter}');
    expect(worker.last()).toMatchObject({ asked: 'plan', choices: { budgetBytes: 525e6 } });
  });

  it('offer names of full fine-tunes only: adapters are merged whole', async () => {
    const fields = () => page.getByRole('textbox', { name: /clude names$/ }).elements();
    await openReport();
    await expect.poll(fields).toHaveLength(2);
    await openReport(clipPreflight({ kind: 'adapters' }));
    await expect.poll(fields).toHaveLength(0);
    await expect.element(budget()).toBeVisible();
  });
});

describe('ways back', () => {
  it('a cancelled load keeps the report, and Start loads without asking twice', async () => {
    await openReport();
    await userEvent.click(start());
    await userEvent.click(page.getByRole('button', { name: 'Cancel' }));
    await expect.element(status()).toHaveTextContent('Cancelled before the weights were loaded');
    await userEvent.click(start());
    await openReport();
    expect(worker.jobs.map(({ asked }) => asked)).toEqual(['open', 'load', 'open', 'load']);
  });

  it('a budget that opening fails with can be given up', async () => {
    settingsStore.setState({ budgetBytes: 1e6 });
    const error = { kind: 'out-of-memory', message: 'Needs 525 MB.', hint: 'More.' } as const;
    await worker.last().end({ status: 'failed', error });
    const suggested = page.getByRole('button', { name: 'Use the suggested memory budget' });
    await expect.element(suggested).toBeVisible();
    const again = page.getByRole('button', { name: 'Try again' });
    expect(again.elements(), 'which would not help').toHaveLength(0);
    await userEvent.click(suggested);
    expect(worker.last()).toMatchObject({ asked: 'open', choices: { budgetBytes: null } });
  });

  it('patterns that leave nothing to merge can be cleared where they stand', async () => {
    const error = { kind: 'mismatch', message: 'Nothing is left.', hint: 'Change them.' } as const;
    await openReport();
    await userEvent.click(start());
    worker.last().emit({ type: 'group', group: groupOf(['a'], null) });
    await worker.last().end(DONE);
    await worker.last().end(DONE);
    const field = page.getByRole('textbox', { name: 'Exclude names' });
    await userEvent.click(page.getByText('Checks, plan and measured memory'));
    await userEvent.fill(field, '*');
    await userEvent.keyboard('{Tab}');
    await worker.last().end({ status: 'failed', error });
    await expect.element(page.getByRole('alert')).toBeVisible();
    await expect.element(start()).toBeDisabled();
    await expect.element(field).toHaveValue('*');
    const clear = page.getByRole('button', { name: 'Merge all tensors' });
    expect(clear.elements(), 'the field is there').toHaveLength(0);
    await userEvent.fill(field, '');
    await userEvent.keyboard('{Tab}');
    expect(worker.last()).toMatchObject({ asked: 'plan', choices: { exclude: [] } });
    await worker.last().end(DONE);
    await expect.element(start()).toBeEnabled();
  });

  it('patterns of a link that leave nothing to merge can be given up', async () => {
    const error = { kind: 'mismatch', message: 'Nothing is left.', hint: 'Clear them.' } as const;
    const clear = page.getByRole('button', { name: 'Merge all tensors' });
    await worker.last().end({ status: 'failed', error });
    await expect.element(page.getByRole('alert')).toBeVisible();
    expect(clear.elements(), 'there are none').toHaveLength(0);
    const search = '?base=o/base&task=o/one&exclude=*';
    void startPage(worker, { search, replace: () => undefined });
    await worker.last().end({ status: 'failed', error });
    await userEvent.click(clear);
    expect(worker.last()).toMatchObject({ asked: 'open', choices: { include: [], exclude: [] } });
    await openReport();
    await expect.element(start()).toBeEnabled();
    expect(page.getByRole('alert').elements()).toHaveLength(0);
  });
});

describe('the layout', () => {
  const { innerWidth, innerHeight } = window;
  afterEach(() => page.viewport(innerWidth, innerHeight));

  it('fits a phone, Start as wide as it', async () => {
    await page.viewport(360, 740);
    await openReport();
    await expect.element(start()).toBeVisible();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
    expect(start().element().getBoundingClientRect().width).toBeGreaterThan(300);
  });
});
