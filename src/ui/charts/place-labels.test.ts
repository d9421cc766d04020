import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Box, type LabelToPlace, placeLabels } from './place-labels';

const FRAME: Box = { left: 0, top: 0, right: 400, bottom: 300 };
const label = (x: number, y: number, width = 60): LabelToPlace => ({
  x,
  y,
  width,
  height: 14,
  side: 'right',
  optional: false,
});

describe('placeLabels', () => {
  it('takes the preferred side where it is free, another where it is not', () => {
    const [free] = placeLabels([label(100, 100)], [], FRAME);
    expect(free).toMatchObject({ y: 100, anchor: 'start' });
    const [atEdge] = placeLabels([label(390, 100)], [], FRAME);
    expect(atEdge).toMatchObject({ y: 100, anchor: 'end' });
    const beside = { left: 105, right: 180, top: 95, bottom: 105 };
    expect(placeLabels([label(100, 100)], [beside], FRAME)[0]?.anchor).not.toBe('start');
  });

  it('lays no two labels over each other while there is room', () => {
    const marks = fc.array(
      fc.record({ x: fc.integer({ min: 60, max: 340 }), y: fc.integer({ min: 60, max: 240 }) }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(marks, (points) => {
        const labels = points.map(({ x, y }) => label(x, y));
        const boxes = placeLabels(labels, [], FRAME).map((place) => {
          const { x, y, anchor } = place!;
          const left = x - { start: 0, middle: 30, end: 60 }[anchor];
          return { left, right: left + 60, top: y - 7, bottom: y + 7 };
        });
        for (const [i, a] of boxes.entries()) {
          expect(a.left).toBeGreaterThanOrEqual(FRAME.left);
          expect(a.right).toBeLessThanOrEqual(FRAME.right);
          for (const b of boxes.slice(i + 1)) {
            const apart =
              a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            expect(apart).toBe(true);
          }
        }
      }),
    );
  });

  it('leaves an optional label out rather than over something, and no other', () => {
    const [optional] = placeLabels([{ ...label(100, 100), optional: true }], [FRAME], FRAME);
    expect(optional).toBeNull();
    expect(placeLabels([label(100, 100)], [FRAME], FRAME)[0]).not.toBeNull();
  });
});
