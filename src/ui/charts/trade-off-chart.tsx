import { useId } from 'react';
import { familyLabel } from '@/store/method';
import { type TradeOffPoint } from '@/store/results/trade-off';
import { bytesTick, percent } from '@/ui/format';
import { useWidth } from '@/ui/use-width';
import { accuracyDomain, linearScale, logScale, logTicks, spacedTicks, tenths } from './scales';
import styles from './trade-off-chart.module.css';

const HEIGHT = 380;
/** Pixels a size on the axis takes, with some air. */
const TICK_LABEL_WIDTH = 48;
const MARGIN = { top: 44, right: 24, bottom: 56, left: 60 };

interface TradeOffChartProps {
  readonly points: readonly TradeOffPoint[];
  /** m of the recipe: its points are drawn larger. */
  readonly keptPercent: number;
  /** The chart in a sentence or two. */
  readonly summary: string;
}

/** Average accuracy against bytes on a logarithmic axis, labelled on the marks themselves. */
export function TradeOffChart({ points, keptPercent, summary }: TradeOffChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const titleId = useId();
  const summaryId = useId();
  return (
    <div ref={ref} className={styles.frame}>
      {width > 0 && points.length > 0 && (
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-labelledby={titleId}
          aria-describedby={summaryId}
        >
          <title id={titleId}>Accuracy against bytes</title>
          <desc id={summaryId}>{summary}</desc>
          <Marks points={points} keptPercent={keptPercent} width={width} />
        </svg>
      )}
    </div>
  );
}

interface MarksProps {
  readonly points: readonly TradeOffPoint[];
  readonly keptPercent: number;
  readonly width: number;
}

function Marks({ points, keptPercent, width }: MarksProps) {
  const sizes = points.map((point) => point.bytes);
  const smallest = Math.min(...sizes);
  const high = Math.max(...sizes) * 1.12;
  const low = lowEnd(smallest, high, width - MARGIN.left - MARGIN.right);
  const domain = accuracyDomain(points.map((point) => point.accuracy));
  const x = logScale(low, high, MARGIN.left, width - MARGIN.right);
  const y = linearScale(domain.low, domain.high, HEIGHT - MARGIN.bottom, MARGIN.top);
  const place = (point: TradeOffPoint): Placed => ({
    point,
    x: x(point.bytes),
    y: y(point.accuracy),
  });
  const placed = points.map(place);
  return (
    <>
      <g className={styles.axis}>
        {tenths(domain.low, domain.high).map((tick) => (
          <g key={tick} transform={`translate(0 ${y(tick)})`}>
            <line x1={MARGIN.left} x2={width - MARGIN.right} />
            <text x={MARGIN.left - 8} dy="0.32em" textAnchor="end">
              {percent(tick, 0)}
            </text>
          </g>
        ))}
        {spacedTicks(logTicks(low, high), x, TICK_LABEL_WIDTH).map((tick) => (
          <g key={tick} transform={`translate(${x(tick)} ${HEIGHT - MARGIN.bottom})`}>
            <line y2={5} />
            <text y={20} textAnchor="middle">
              {bytesTick(tick)}
            </text>
          </g>
        ))}
        <text x={width - MARGIN.right} y={HEIGHT - 14} textAnchor="end" className={styles.caption}>
          bytes of all files, log scale →
        </text>
        <text x={20} y={24} className={styles.caption}>
          ↑ average accuracy
        </text>
      </g>
      <Curves placed={placed} keptPercent={keptPercent} width={width} />
      <Dense marks={placed.filter(({ point }) => point.percent === null)} />
    </>
  );
}

interface Placed {
  readonly point: TradeOffPoint;
  readonly x: number;
  readonly y: number;
}

interface CurvesProps {
  readonly placed: readonly Placed[];
  readonly keptPercent: number;
  readonly width: number;
}

/** The sparse methods over every m computed so far, each named where it ends. */
function Curves({ placed, keptPercent, width }: CurvesProps) {
  const peru = placed.filter(({ point }) => point.family === 'peru-fft');
  const pruned = placed.filter(({ point }) => point.family === 'post-pruning');
  const apart = nudge(peru.at(-1), pruned.at(-1));
  return (
    <>
      <Curve marks={pruned} keptPercent={keptPercent} width={width} below nudge={-apart} />
      <Curve marks={peru} keptPercent={keptPercent} width={width} below={false} nudge={apart} />
    </>
  );
}

interface CurveProps {
  readonly marks: readonly Placed[];
  readonly keptPercent: number;
  readonly width: number;
  /** On which side of the curve m stands. */
  readonly below: boolean;
  /** Moves the name, in pixels, away from the other curve's. */
  readonly nudge: number;
}

function Curve({ marks, keptPercent, width, below, nudge: shift }: CurveProps) {
  const end = marks.at(-1);
  if (end === undefined) return null;
  return (
    <g className={styles.curve} data-family={end.point.family}>
      <polyline points={marks.map((mark) => `${mark.x},${mark.y}`).join(' ')} />
      {marks.map((mark) => {
        const current = mark.point.percent === keptPercent;
        return (
          <g key={mark.point.method} transform={`translate(${mark.x} ${mark.y})`}>
            <circle r={current ? 6.5 : 4} />
            {mark !== end && (
              <text
                className={styles.share}
                data-current={current}
                x={below ? 7 : -7}
                y={below ? 18 : -9}
                textAnchor={below ? 'start' : 'end'}
              >
                {mark.point.percent} %
              </text>
            )}
          </g>
        );
      })}
      <CurveName end={end} width={width} below={below} shift={shift} />
    </g>
  );
}

/** Pixels a curve's name takes to the right of its end. */
const CURVE_NAME_WIDTH = 130;

interface CurveNameProps {
  readonly end: Placed;
  readonly width: number;
  readonly below: boolean;
  readonly shift: number;
}

/** Right of the curve's last point, or above or below it where there is no room. */
function CurveName({ end, width, below, shift }: CurveNameProps) {
  const fits = end.x + CURVE_NAME_WIDTH < width;
  return (
    <text
      className={styles.name}
      x={fits ? end.x + 12 : end.x + 6}
      y={fits ? end.y + shift : end.y + (below ? 22 : -18)}
      dy="0.34em"
      textAnchor={fits ? 'start' : 'end'}
    >
      {familyLabel(end.point.family)} {end.point.percent} %
    </text>
  );
}

/** Room left of the smallest files for the names of the models that stand there, in pixels. */
const NAME_ROOM = 84;

/** Where the axis begins so that `NAME_ROOM` pixels of `span` lie left of `smallest`. */
function lowEnd(smallest: number, high: number, span: number): number {
  return smallest / (high / smallest) ** (NAME_ROOM / Math.max(1, span - NAME_ROOM));
}

interface DenseProps {
  readonly marks: readonly Placed[];
}

/**
 * The models as they stand. One model's files are the smallest: named on the left, where no curve
 * runs, names kept apart. All fine-tunes are the largest: named above, where curves end below.
 */
function Dense({ marks }: DenseProps) {
  const merged = marks.find(({ point }) => point.family === 'merged');
  const pretrained = marks.find(({ point }) => point.family === 'pretrained');
  const apart = nudge(merged, pretrained);
  return marks.map(({ point, x, y }) => (
    <g key={point.method} className={styles.dense} data-family={point.family}>
      <circle cx={x} cy={y} r={6} />
      {point.family === 'finetuned' ? (
        <text x={x + 6} y={y - 14} textAnchor="end">
          {familyLabel(point.family)}
        </text>
      ) : (
        <text
          x={x - 12}
          y={y + (point.family === 'merged' ? apart : -apart)}
          dy="0.34em"
          textAnchor="end"
        >
          {familyLabel(point.family)}
        </text>
      )}
    </g>
  ));
}

/** Pixels between the middles of two names in one column. */
const NAME_HEIGHT = 17;

/** How far the first mark's name moves, and the second's the other way, so that both can be read. */
function nudge(first: Placed | undefined, second: Placed | undefined): number {
  if (first === undefined || second === undefined) return 0;
  const overlap = Math.max(0, NAME_HEIGHT - Math.abs(first.y - second.y)) / 2;
  return first.y <= second.y ? -overlap : overlap;
}
