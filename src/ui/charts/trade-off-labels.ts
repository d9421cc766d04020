/** What stands beside each mark of the trade-off chart, and where. Pure. */
import { type GroupKind, type MethodId } from '@/store/method';
import { type TradeOffPoint } from '@/store/results/trade-off';
import { familyLabel, settingLabel } from '@/ui/method-label';
import { type Box, type LabelToPlace, placeLabels, type PlacedLabel } from './place-labels';

export interface Placed {
  readonly point: TradeOffPoint;
  readonly x: number;
  readonly y: number;
}

export interface MarkLabel {
  readonly method: MethodId;
  readonly family: TradeOffPoint['family'];
  readonly text: string;
  /** `name`: of a model or a curve; `share`: a setting along a curve. */
  readonly look: 'name' | 'share' | 'current';
  readonly place: PlacedLabel;
}

/** Pixels a character takes, bold or small: the widest of the fonts on offer. */
const CHARACTER = { name: 7.3, current: 7.3, share: 6.2 };
const LINE_HEIGHT = 16;
const MARK_RADIUS = 8;

/**
 * Names of models and of each curve's last point come first, then the recipe's own setting, then
 * the others, which stand only where there is room.
 *
 * @param marks in the order of the tables
 * @param curves the marks each line joins; labels keep off the lines
 */
export function markLabels(
  marks: readonly Placed[],
  curves: readonly (readonly Placed[])[],
  current: MethodId,
  kind: GroupKind,
  frame: Box,
): readonly MarkLabel[] {
  const ends = new Set(curves.map((curve) => curve.at(-1)));
  const wanted = marks
    .map((mark) => ({ mark, ...wording(mark, ends.has(mark), current, kind) }))
    .sort((a, b) => RANKING[a.look] - RANKING[b.look]);
  const labels = wanted.map(({ mark, text, look }): LabelToPlace => {
    const width = text.length * CHARACTER[look];
    const optional = look === 'share';
    return { x: mark.x, y: mark.y, width, height: LINE_HEIGHT, side: sideOf(mark), optional };
  });
  const places = placeLabels(labels, obstaclesOf(marks, curves), frame);
  return wanted.flatMap(({ mark, text, look }, i) => {
    const place = places[i];
    const { method, family } = mark.point;
    return place ? [{ method, family, text, look, place }] : [];
  });
}

const RANKING = { name: 0, current: 1, share: 2 };

function wording(
  { point: { family, setting, method } }: Placed,
  isEnd: boolean,
  current: MethodId,
  kind: GroupKind,
): { readonly text: string; readonly look: MarkLabel['look'] } {
  const name = familyLabel(family, kind);
  if (setting === null) return { text: name, look: 'name' };
  const text = settingLabel(setting);
  if (isEnd) return { text: `${name} ${text}`, look: 'name' };
  return { text, look: method === current ? 'current' : 'share' };
}

/** One model's files are the smallest: named on the left; Post-Pruning runs below PERU-FFT. */
function sideOf({ point: { family } }: Placed): LabelToPlace['side'] {
  switch (family) {
    case 'pretrained':
    case 'merged':
      return 'left';
    case 'post-pruning':
      return 'below';
    case 'peru-fft':
    case 'peru-lora':
    case 'finetuned':
      return 'above';
  }
}

function obstaclesOf(marks: readonly Placed[], curves: readonly (readonly Placed[])[]): Box[] {
  const onCurves = curves.flatMap((curve) =>
    curve.slice(1).flatMap((mark, i) => between(curve[i] ?? mark, mark)),
  );
  return [...marks.map((mark) => boxAround(mark, MARK_RADIUS)), ...onCurves];
}

/** Small boxes along a line, close enough that no label fits between them. */
function between(from: Placed, to: Placed): Box[] {
  const steps = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 8);
  return Array.from({ length: Math.max(0, steps - 1) }, (_, i) => {
    const share = (i + 1) / steps;
    const x = from.x + share * (to.x - from.x);
    return boxAround({ x, y: from.y + share * (to.y - from.y) }, 2);
  });
}

function boxAround({ x, y }: { x: number; y: number }, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}
