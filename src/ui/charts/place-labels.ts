/** Finds places for the labels of marks so that none lies on another label or mark. Pure. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface LabelToPlace {
  /** The mark it names. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Where to look first; the other sides follow. */
  readonly side: Side;
  /** Better nowhere than on top of something: what it says also stands elsewhere. */
  readonly optional: boolean;
}

export type Side = 'right' | 'left' | 'above' | 'below';

/** Where a label's text begins, ends or has its middle (`anchor`), and its middle line. */
export interface PlacedLabel {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
}

/** Pixels between a mark's middle and its label. */
const GAP = 11;

/**
 * Places labels in the order given: the earlier choose first. One place each, null for an optional
 * label that has none.
 *
 * @param obstacles what no label may cover, such as marks and pieces of curves
 * @param frame what no label may leave
 */
export function placeLabels(
  labels: readonly LabelToPlace[],
  obstacles: readonly Box[],
  frame: Box,
): readonly (PlacedLabel | null)[] {
  const taken = [...obstacles];
  return labels.map((label) => {
    const candidates = candidatesFor(label, frame).map((place) => {
      const box = boxOf(place, label);
      const covered = coverOf(box, taken, frame);
      return { place, box, covered, cost: COVER_COST * covered + awayFrom(label, box) };
    });
    const best = candidates.reduce((least, one) => (one.cost < least.cost ? one : least));
    if (label.optional && best.covered > 0) return null;
    taken.push(best.box);
    return best.place;
  });
}

/** What covering a square pixel weighs against lying a pixel farther away. */
const COVER_COST = 2;

/** Overlap in square pixels; leaving the frame is worse than any overlap. */
function coverOf(box: Box, taken: readonly Box[], frame: Box): number {
  const outside =
    Math.max(0, frame.left - box.left) +
    Math.max(0, frame.top - box.top) +
    Math.max(0, box.right - frame.right) +
    Math.max(0, box.bottom - frame.bottom);
  return taken.reduce((sum, other) => sum + overlap(box, other), outside * 10_000);
}

/** Pixels between the mark and the nearest point of the box, past the gap every label keeps. */
function awayFrom({ x, y }: LabelToPlace, box: Box): number {
  const dx = Math.max(box.left - x, 0, x - box.right);
  const dy = Math.max(box.top - y, 0, y - box.bottom);
  return Math.max(0, Math.hypot(dx, dy) - GAP);
}

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Beside the mark, above and below it, then farther out: at equal cost the first is taken. */
function candidatesFor(label: LabelToPlace, frame: Box): readonly PlacedLabel[] {
  const { x, y, width, height, side, optional } = label;
  const rise = GAP + height / 2;
  const inside = (at: number): number =>
    Math.max(frame.left + width / 2, Math.min(frame.right - width / 2, at));
  const middle = inside(x);
  const sides: Readonly<Record<Side, PlacedLabel>> = {
    right: { x: x + GAP, y, anchor: 'start' },
    left: { x: x - GAP, y, anchor: 'end' },
    above: { x: middle, y: y - rise, anchor: 'middle' },
    below: { x: middle, y: y + rise, anchor: 'middle' },
  };
  const first = sides[side];
  const others = Object.values(sides).filter((place) => place !== first);
  // Far from its mark, a name can still be told; a number that many marks have can not.
  const diagonals = (optional ? [1] : [1, 1.5, 2, 3]).flatMap((step) =>
    [-1, 1].flatMap((sign): PlacedLabel[] => {
      const shifted = y + sign * rise * step;
      const reach = width / 2 - 6;
      return [x - reach, x + reach, x].map((at) => ({
        x: inside(at),
        y: shifted,
        anchor: 'middle',
      }));
    }),
  );
  return [first, ...others, ...diagonals];
}

function boxOf({ x, y, anchor }: PlacedLabel, { width, height }: LabelToPlace): Box {
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return { left, right: left + width, top: y - height / 2, bottom: y + height / 2 };
}
