/** What stands beside each mark of the trade-off chart, and where. Pure. */
import { COMPRESSORS } from '@/methods/registry';
import { type GroupKind, isCompressed, type MethodId } from '@/recipe/parsed-method';
import { type TradeOffPoint } from '@/store/results/trade-off';
import { familyLabel, settingLabel } from '@/ui/words/method-label';
import { type TextRuler, type TextStyle } from '@/ui/hooks/use-text-ruler';
import { type Box, type LabelToPlace, placeLabels, type PlacedLabel } from './place-labels';

export interface Placed {
  readonly point: TradeOffPoint;
  readonly x: number;
  readonly y: number;
}

/** What the chart shows. */
interface Drawn {
  readonly marks: readonly Placed[];
  readonly curves: readonly (readonly Placed[])[];
  /** Labels that have their places already. */
  readonly taken: readonly Box[];
  readonly current: MethodId;
  readonly kind: GroupKind;
}

export interface MarkLabel {
  readonly method: MethodId;
  readonly family: TradeOffPoint['family'];
  readonly text: string;
  /** `name`: of a model or a curve; `share`: a setting along a curve. */
  readonly look: 'name' | 'share' | 'current';
  readonly place: PlacedLabel;
}

/** How each look is set. */
export const LABEL_STYLES: Readonly<Record<MarkLabel['look'], TextStyle>> = {
  name: { fontSize: 13, fontWeight: 700 },
  current: { fontSize: 13, fontWeight: 700 },
  share: { fontSize: 11, fontWeight: 400 },
};

const MARK_RADIUS = 8;

/**
 * Names of models and of each curve's last point come first, then the recipe's own setting, then
 * the others, which stand only where there is room.
 *
 * @param drawn marks in the order of the tables; labels keep off them and the lines between them
 * @param frame what no label may leave
 */
export function markLabels(
  { marks, curves, taken, current, kind }: Drawn,
  frame: Box,
  measure: TextRuler,
): readonly MarkLabel[] {
  const ends = new Set(curves.map((curve) => curve.at(-1)));
  const wanted = marks
    .map((mark) => ({ mark, ...wording(mark, ends.has(mark), current, kind) }))
    .sort((a, b) => RANKING[a.look] - RANKING[b.look]);
  const labels = wanted.map(({ mark, text, look }): LabelToPlace => {
    const size = measure(text, LABEL_STYLES[look]);
    return { x: mark.x, y: mark.y, ...size, side: sideOf(mark), optional: look === 'share' };
  });
  const places = placeLabels(labels, [...taken, ...obstaclesOf(marks, curves)], frame);
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

/** One model's files are the smallest: named on the left; a baseline runs below the others. */
function sideOf({ point: { family } }: Placed): LabelToPlace['side'] {
  if (isCompressed(family)) return COMPRESSORS[family].isBaseline ? 'below' : 'above';
  return family === 'finetuned' ? 'above' : 'left';
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
