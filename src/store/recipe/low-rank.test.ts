import { describe, expect, it } from 'vitest';
import { adapterLimits } from './rank-limits';
import { budgetBounds, rankBounds, startingRank } from './bounds';
import { adapterGroupOf, spectraOf } from '@/store/state/scripted-worker';
import { methodsOf } from '@/recipe/parsed-method';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import { compression } from '@/store/results/compression';
import {
  adaptersKept,
  fullTripletBytes,
  leastTripletBytes,
  meanEnergy,
  meanEnergyByRank,
} from './low-rank';
import { accuracyTable } from '@/store/results/table';
import { type Score, type Spectra } from '@/store/state/results';

const { contents } = adapterGroupOf(['a', 'b', 'c']);
const spectra = spectraOf(contents) as unknown as Spectra;
const TRIPLET = 4 * (64 + 64);

describe('what ranks keep', () => {
  it('follows the spectra until the worker has said it for every task', () => {
    const choice = { by: 'count', q: 4 } as const;
    expect(adaptersKept(contents, null, choice, {})).toBeNull();
    const preview = adaptersKept(contents, spectra, choice, {});
    expect(preview?.map(({ task }) => task)).toEqual(['a', 'b', 'c']);
    expect(preview?.[0]?.ranks).toEqual(contents.modules.map(() => 4));
    const facts = (task: string) => ({
      method: 'peru-lora@4',
      task,
      ranks: [1],
      energyShare: 0.5,
      bytes: 7,
    });
    const partly = { 'peru-lora@4': { a: facts('a'), b: facts('b') } };
    expect(adaptersKept(contents, spectra, choice, partly)).toEqual(preview);
    const all = { 'peru-lora@4': { ...partly['peru-lora@4'], c: facts('c') } };
    expect(adaptersKept(contents, spectra, choice, all)?.map(({ bytes }) => bytes)).toEqual([
      7, 7, 7,
    ]);
  });

  it('draws for every q the mean that the preview of that q gives', () => {
    const curve = meanEnergyByRank(spectra, 16);
    expect(curve).toHaveLength(16);
    curve.forEach((share, i) => {
      const kept = adaptersKept(contents, spectra, { by: 'count', q: i + 1 }, {});
      expect(share).toBeCloseTo(meanEnergy(kept ?? []), 10);
    });
    expect(curve.at(-1)).toBeCloseTo(1, 12);
    expect(meanEnergyByRank(null, 16)).toEqual([]);
  });
});

describe('the bounds of a group', () => {
  it('run from one triplet a module to all of them', () => {
    expect(fullTripletBytes(contents)).toBe(3 * 18 * 16 * TRIPLET);
    expect(leastTripletBytes(contents)).toBe(3 * 18 * TRIPLET);
    const { min, max, step } = budgetBounds(adapterLimits(contents));
    expect(min).toBeGreaterThanOrEqual(leastTripletBytes(contents));
    expect(min).toBeLessThan(leastTripletBytes(contents) + step);
    expect(max).toBeGreaterThanOrEqual(fullTripletBytes(contents));
    expect(max / step).toBeLessThanOrEqual(1000);
    expect(rankBounds(adapterLimits(contents))).toMatchObject({ min: 1, max: 16, sliderMax: 16 });
  });

  it('hold for adapters of next to nothing', () => {
    const tiny = { ...contents, modules: [], tasks: [], maxRank: 0 };
    expect(rankBounds(adapterLimits(tiny))).toMatchObject({ min: 1, max: 1 });
    const { min, max } = budgetBounds(adapterLimits(tiny));
    expect(min).toBeLessThanOrEqual(max);
  });

  it('start at eight triplets, 95 % of the energy, half of the bytes', () => {
    expect(startingRank('count', adapterLimits(contents))).toEqual({ by: 'count', q: 8 });
    expect(startingRank('count', { ...adapterLimits(contents), maxRank: 4 })).toEqual({
      by: 'count',
      q: 4,
    });
    expect(startingRank('energy', adapterLimits(contents))).toEqual({ by: 'energy', percent: 95 });
    const half = startingRank('bytes', adapterLimits(contents));
    const budget = half.by === 'bytes' ? half.budget : 0;
    expect(budget / fullTripletBytes(contents)).toBeCloseTo(0.5, 1);
  });
});

describe('compression', () => {
  const methods = methodsOf('adapters', DEFAULT_RECIPE);
  const tasks = [{ name: 'a', title: 'A', dataset: { metric: 'accuracy' } }] as const;
  const of = (method: string, value: number): Record<string, Score> => ({
    a: { method, task: 'a', metric: 'accuracy', value, n: 100, total: 100 },
  });
  const row = (method: string, bytes: number) => ({ method, files: [], bytes });

  it('is null before the adapters have their average', () => {
    expect(compression(accuracyTable(tasks, {}, methods), null, {})).toBeNull();
  });

  it('fills in as numbers come', () => {
    const early = accuracyTable(tasks, { finetuned: of('finetuned', 0.9) }, methods);
    expect(compression(early, null, {})).toMatchObject({
      finetuned: 0.9,
      peru: null,
      energyShare: null,
      bytesShare: null,
      isFinal: false,
    });
    const scores = Object.fromEntries(methods.map((method, i) => [method, of(method, i / 10)]));
    const kept = [{ task: 'a', ranks: [1], energyShare: 0.75, bytes: 5 }];
    const storage = {
      pretrained: row('pretrained', 1000),
      finetuned: row('finetuned', 1400),
      'peru-lora@8': row('peru-lora@8', 1100),
    };
    expect(compression(accuracyTable(tasks, scores, methods), kept, storage)).toEqual({
      pretrained: 0,
      finetuned: 0.1,
      merged: 0.2,
      peru: 0.3,
      energyShare: 0.75,
      bytesShare: 0.25,
      isFinal: true,
    });
  });
});
