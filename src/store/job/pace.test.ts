import { describe, expect, it } from 'vitest';
import { nextPace, type Pace, secondsLeft, unitsPerSecond } from './pace';

const report = (done: number, stage = 'Scoring', total = 1000) =>
  ({ stage, done, total, unit: 'images' }) as const;

describe('pace', () => {
  it('tells speed and time left from the first report on', () => {
    let pace: Pace = nextPace(null, report(100), 0);
    expect(unitsPerSecond(pace)).toBeNull();
    pace = nextPace(pace, report(150, 'Scoring another'), 200);
    expect(unitsPerSecond(pace), 'too early to say').toBeNull();
    pace = nextPace(pace, report(300), 1000);
    expect(unitsPerSecond(pace)).toBeCloseTo(200);
    expect(secondsLeft(pace)).toBeCloseTo(3.5);
  });

  it('starts again when another count begins or the count steps back', () => {
    const first = nextPace(nextPace(null, report(0), 0), report(500), 1000);
    expect(unitsPerSecond(nextPace(first, report(510, 'Scoring', 2000), 1100))).toBeNull();
    expect(unitsPerSecond(nextPace(first, report(10), 1100))).toBeNull();
  });
});
