import { useId } from 'react';
import { COMPRESS_METHODS } from '@/methods/registry';
import { type GroupKind, type MethodId } from '@/recipe/parsed-method';
import { type TradeOffPoint } from '@/store/results/trade-off';
import { bytesTick, percent } from '@/ui/words/format';
import { familyLabel } from '@/ui/words/method-label';
import {
  type TextRuler,
  type TextSize,
  type TextStyle,
  useTextRuler,
} from '@/ui/hooks/use-text-ruler';
import { useWidth } from '@/ui/hooks/use-width';
import { type Box } from './place-labels';
import { accuracyDomain, linearScale, logScale, logTicks, spacedTicks, tenths } from './scales';
import { LABEL_STYLES, type MarkLabel, markLabels, type Placed } from './trade-off-labels';
import styles from './trade-off-chart.module.css';

const HEIGHT = 380;
const AXIS_STYLE: TextStyle = { fontSize: 12, fontWeight: 400 };
/** Pixels between two sizes on the axis. */
const TICK_AIR = 12;
/** Pixels between a level's line and its name. */
const LEVEL_AIR = 6;
const MARGIN = { top: 44, right: 24, bottom: 56, left: 60 };

interface TradeOffChartProps {
  readonly points: readonly TradeOffPoint[];
  /** The recipe's own method: its point is drawn larger. */
  readonly current: MethodId;
  readonly kind: GroupKind;
  /** What the averages are of: `accuracy`. */
  readonly noun: string;
  /** The chart in a sentence or two. */
  readonly summary: string;
}

/** Average accuracy against bytes on a logarithmic axis, labelled on the marks themselves. */
export function TradeOffChart(props: TradeOffChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const titleId = useId();
  const summaryId = useId();
  const hasSizes = props.points.some((point) => point.bytes > 0);
  return (
    <div ref={ref} className={styles.frame}>
      {width > 0 && hasSizes && (
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-labelledby={titleId}
          aria-describedby={summaryId}
          {...AXIS_STYLE}
        >
          <title id={titleId}>Accuracy against bytes</title>
          <desc id={summaryId}>{props.summary}</desc>
          <Marks {...props} width={width} />
        </svg>
      )}
    </div>
  );
}

function Marks(props: TradeOffChartProps & { readonly width: number }) {
  const { points, current, kind, noun, width } = props;
  const ruler = useTextRuler();
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  // Beside the base, the base itself takes no bytes: no place on this axis, but a level.
  const levels = points.filter((point) => point.bytes === 0);
  const sized = points.filter((point) => point.bytes > 0);
  const sizes = sized.map((point) => point.bytes);
  const smallest = Math.min(...sizes);
  const high = Math.max(...sizes) * 1.12;
  const low = lowEnd(smallest, high, width - MARGIN.left - MARGIN.right);
  const domain = accuracyDomain(points.map((point) => point.value));
  const x = logScale(low, high, MARGIN.left, right);
  const y = linearScale(domain.low, domain.high, bottom, MARGIN.top);
  const ticks = logTicks(low, high);
  const marks = sized.map((point): Placed => ({ point, x: x(point.bytes), y: y(point.value) }));
  const curves = curvesOf(marks);
  const frame = { left: MARGIN.left + 2, top: 30, right: width - 6, bottom: bottom - 2 };
  const taken = levels.map(({ family, value }) =>
    boxAbove(right, y(value), ruler(familyLabel(family, kind), AXIS_STYLE)),
  );
  const labels = markLabels({ marks, curves, taken, current, kind }, frame, ruler);
  return (
    <>
      <Axes
        xTicks={spacedTicks(ticks, x, TICK_AIR + widest(ticks.map(bytesTick), ruler))}
        yTicks={tenths(domain.low, domain.high)}
        {...{ x, y, width, kind, noun }}
      />
      {levels.map((point) => (
        <g key={point.method} className={styles.level} transform={`translate(0 ${y(point.value)})`}>
          <line x1={MARGIN.left} x2={right} />
          <text x={right} y={-LEVEL_AIR} textAnchor="end">
            {familyLabel(point.family, kind)}
          </text>
        </g>
      ))}
      {curves.map((curve) => (
        <polyline
          key={curve[0]?.point.method}
          className={styles.curve}
          data-family={curve[0]?.point.family}
          points={curve.map((mark) => `${mark.x},${mark.y}`).join(' ')}
        />
      ))}
      {marks.map((mark) => (
        <circle
          key={mark.point.method}
          className={styles.mark}
          data-family={mark.point.family}
          cx={mark.x}
          cy={mark.y}
          r={mark.point.setting === null ? 6 : mark.point.method === current ? 6.5 : 4}
        />
      ))}
      {labels.map((label) => (
        <Label key={label.method} label={label} />
      ))}
    </>
  );
}

function widest(texts: readonly string[], ruler: TextRuler): number {
  return Math.max(...texts.map((text) => ruler(text, AXIS_STYLE).width));
}

/** Where a level's name stands: above its line, up to the right end. */
function boxAbove(right: number, line: number, { width, height }: TextSize): Box {
  return { left: right - width, right, top: line - LEVEL_AIR - height, bottom: line };
}

/** Methods computed at several m or q; what was chosen by energy or bytes stands by itself. */
function curvesOf(marks: readonly Placed[]): readonly (readonly Placed[])[] {
  return COMPRESS_METHODS.map((family) =>
    marks.filter(
      ({ point: { family: own, setting } }) =>
        own === family && (setting?.by === 'entries' || setting?.by === 'count'),
    ),
  ).filter((curve) => curve.length > 0);
}

interface AxesProps {
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly x: (bytes: number) => number;
  readonly y: (share: number) => number;
  readonly width: number;
  readonly kind: GroupKind;
  readonly noun: string;
}

function Axes({ xTicks, yTicks, x, y, width, kind, noun }: AxesProps) {
  const beside = kind === 'adapters' ? 'bytes beside the base' : 'bytes of all files';
  return (
    <g className={styles.axis}>
      {yTicks.map((tick) => (
        <g key={tick} transform={`translate(0 ${y(tick)})`}>
          <line x1={MARGIN.left} x2={width - MARGIN.right} />
          <text x={MARGIN.left - 8} dy="0.32em" textAnchor="end">
            {percent(tick, 0)}
          </text>
        </g>
      ))}
      {xTicks.map((tick) => (
        <g key={tick} transform={`translate(${x(tick)} ${HEIGHT - MARGIN.bottom})`}>
          <line y2={5} />
          <text y={20} textAnchor="middle">
            {bytesTick(tick)}
          </text>
        </g>
      ))}
      <text x={width - MARGIN.right} y={HEIGHT - 14} textAnchor="end" className={styles.caption}>
        {beside}, log scale →
      </text>
      <text x={20} y={24} className={styles.caption}>
        ↑ average {noun}
      </text>
    </g>
  );
}

function Label({ label: { text, look, family, place } }: { readonly label: MarkLabel }) {
  return (
    <text
      className={styles.label}
      data-look={look}
      data-family={family}
      x={place.x}
      y={place.y}
      dy="0.34em"
      textAnchor={place.anchor}
      {...LABEL_STYLES[look]}
    >
      {text}
    </text>
  );
}

/** Room left of the smallest files for the names of the models that stand there, in pixels. */
const NAME_ROOM = 84;
/** The most of a chart that room may take: a narrow one needs its width for the curves. */
const NAME_SHARE = 0.12;

/** Where the axis begins so that there is room for names in `span` pixels, left of `smallest`. */
function lowEnd(smallest: number, high: number, span: number): number {
  const room = Math.min(NAME_ROOM, NAME_SHARE * span);
  return smallest / (high / smallest) ** (room / Math.max(1, span - room));
}
