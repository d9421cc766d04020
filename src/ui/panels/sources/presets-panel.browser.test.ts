/** The presets on the page, by role, name and keyboard, from phone to wide. */
import { createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { resetJob } from '@/store/actions/job';
import { type ScriptedWorker, scriptedWorker } from '@/store/state/scripted-worker';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { connect } from '@/store/state/worker-handle';
import { PresetsPanel } from './presets-panel';
import '../../tokens.css';
import '../../base.css';

const HUB = 'http://127.0.0.1:8080';
const CLIP = 'Preset: CLIP ViT-B/32, eight tasks';

let root: Root;
let worker: ScriptedWorker;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState({ ...INITIAL_HUB_STATE, hubUrl: HUB }, true);
  worker = scriptedWorker();
  connect(worker);
  const host = document.createElement('div');
  document.body.append(host);
  root = createRoot(host);
  root.render(createElement(PresetsPanel));
});

afterEach(() => {
  root.unmount();
  document.body.replaceChildren();
});

describe('PresetsPanel', () => {
  it('fills the form by one click, from the Hub in use', async () => {
    await expect.element(page.getByText('127.0.0.1:8080')).toBeVisible();
    await page.getByRole('button', { name: CLIP }).click();
    expect(worker.last().request).toMatchObject({
      kind: 'hub',
      preset: 'clip-vit-base-patch32',
      hubUrl: HUB,
      repos: { length: 9 },
    });
    await expect.element(page.getByText('In use.')).toBeVisible();
  });

  it('names each preset, says how large it is, and works by keyboard', async () => {
    const names = ['CLIP ViT-B/32', 'CLIP ViT-B/16', 'CLIP ViT-L/14', 'full fine-tunes', 'LoRA'];
    await expect.element(page.getByRole('button', { name: CLIP })).toBeVisible();
    const buttons = page.getByRole('button').elements();
    expect(buttons).toHaveLength(names.length);
    for (const [i, name] of names.entries()) {
      await userEvent.tab();
      expect(document.activeElement).toBe(buttons[i]);
      expect(buttons[i]!.textContent).toMatch(/^Preset: /);
      expect(buttons[i]!.textContent).toContain(name);
      const about = document.getElementById(buttons[i]!.getAttribute('aria-describedby')!);
      expect(about!.textContent).toMatch(/About \d+(\.\d+)? GB\./);
    }
    await userEvent.keyboard('{Enter}');
    expect(worker.last().request).toMatchObject({ preset: 'flan-t5-base-glue-lora-16' });
  });

  it.each([320, 1600])('fits a page of %i pixels', async (width) => {
    await page.viewport(width, 700);
    await expect.element(page.getByRole('button', { name: CLIP })).toBeVisible();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    for (const button of page.getByRole('button').elements()) {
      expect(button.scrollWidth).toBeLessThanOrEqual(button.clientWidth + 1);
      expect(button.getBoundingClientRect().height).toBeGreaterThanOrEqual(24);
    }
  });
});
