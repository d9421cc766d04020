import { describe, expect, it } from 'vitest';
import {
  nextRate,
  type ProgressRate,
  type Progress,
  secondsLeft,
  unitsPerSecond,
} from './progress-rate';

const report = (done: number, stage = 'Scoring', total = 1000) =>
  ({ stage, done, total, unit: 'images' }) as const;

/** Reports of `total` bytes, one each `stepMs`, at the speeds given for a second each. */
function follow(total: number, speeds: readonly number[], stepMs = 50): readonly ProgressRate[] {
  let done = 0;
  let pace: ProgressRate | null = null;
  const paces: ProgressRate[] = [];
  for (let ms = 0; ms < 1000 * speeds.length; ms += stepMs) {
    const progress: Progress = { stage: 'Fetching', done, total, unit: 'bytes' };
    pace = nextRate(pace, progress, ms);
    paces.push(pace);
    done += ((speeds[Math.floor(ms / 1000)] ?? 0) * stepMs) / 1000;
  }
  return paces;
}

describe('pace', () => {
  it('tells speed and time left from the first report on', () => {
    let pace: ProgressRate = nextRate(null, report(100), 0);
    expect(unitsPerSecond(pace)).toBeNull();
    pace = nextRate(pace, report(150, 'Scoring another'), 200);
    expect(unitsPerSecond(pace), 'too early to say').toBeNull();
    pace = nextRate(pace, report(300), 1000);
    expect(unitsPerSecond(pace)).toBeCloseTo(200);
    expect(secondsLeft(pace)).toBeCloseTo(3.5);
  });

  it('starts again when another count begins or the count steps back', () => {
    const first = nextRate(nextRate(null, report(0), 0), report(500), 1000);
    expect(unitsPerSecond(nextRate(first, report(510, 'Scoring', 2000), 1100))).toBeNull();
    expect(unitsPerSecond(nextRate(first, report(10), 1100))).toBeNull();
  });

  it('names a steady speed exactly, and counts down evenly', () => {
    const paces = follow(100e6, Array<number>(20).fill(4e6));
    const last = paces.at(-1)!;
    expect(unitsPerSecond(last)).toBeCloseTo(4e6, -1);
    expect(secondsLeft(last)).toBeCloseTo((100e6 - 19.95 * 4e6) / 4e6, 1);
    const left = paces.map(secondsLeft).filter((one) => one !== null);
    for (const [i, one] of left.slice(1).entries()) expect(one).toBeLessThanOrEqual(left[i]!);
  });

  it('is steady where bytes come in bursts', () => {
    const bursts = Array.from({ length: 60 }, (_, second) => (second % 2 === 0 ? 20e6 : 0));
    const rates = follow(1e9, bursts).slice(400).map(unitsPerSecond);
    expect(Math.max(...rates.map(Number))).toBeLessThan(12e6);
    expect(Math.min(...rates.map(Number))).toBeGreaterThan(8e6);
  });

  it('changes its numbers no oftener than once a second', () => {
    const noisy = Array.from({ length: 30 }, (_, second) => 1e6 * (1 + (second % 7)));
    const rates = follow(1e9, noisy, 16).map(unitsPerSecond);
    const changes = rates.filter((rate, i) => i > 0 && rate !== rates[i - 1]);
    expect(changes.length).toBeLessThanOrEqual(30);
  });

  it('follows a line that has become slower, unlike the mean since the start', () => {
    const slowed = [...Array<number>(30).fill(50e6), ...Array<number>(30).fill(5e6)];
    const last = follow(10e9, slowed).at(-1)!;
    expect(unitsPerSecond(last)).toBeLessThan(8e6);
    expect(unitsPerSecond(last)).toBeGreaterThan(5e6);
  });

  it('has no time left to tell while nothing comes', () => {
    const stalled = follow(1e9, [1e6, 1e6, ...Array<number>(200).fill(0)]).at(-1)!;
    expect(unitsPerSecond(stalled)).toBeLessThan(1);
  });
});
