import { memo, useId, useMemo } from 'react';
import { type TextStyle, useTextRuler } from '@/ui/hooks/use-text-ruler';
import { useWidth } from '@/ui/hooks/use-width';
import {
  cutLine,
  groupModules,
  indexTicks,
  keptArea,
  labelLines,
  LEVELS,
  levelPaths,
  type ModuleGroup,
  PANEL,
  panelGrid,
} from './spectra-layout';
import styles from './spectra-map.module.css';

interface SpectraMapProps {
  readonly moduleNames: readonly string[];
  /** Descending singular values of each module; empty where the task does not adapt it. */
  readonly spectra: readonly ArrayLike<number>[];
  /** Triplets kept of each module. */
  readonly ranks: readonly number[];
  /** Factors of ten the colours span. */
  readonly decades: number;
  readonly maxRank: number;
  readonly title: string;
  /** The picture in a sentence or two. */
  readonly summary: string;
}

/**
 * Singular values as a map: a panel for each kind of module, a column for each block, the largest
 * value on top. Kept values are drawn in the accent, dropped ones in grey; the line is the cut.
 */
export function SpectraMap(props: SpectraMapProps) {
  const { moduleNames, spectra, ranks, decades, maxRank, title, summary } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const titleId = useId();
  const summaryId = useId();
  const groups = useMemo(() => groupModules(moduleNames), [moduleNames]);
  const grid = panelGrid(groups.length, maxRank, width);
  const height = Math.ceil(groups.length / grid.perRow) * grid.stepY - PANEL.gap;
  return (
    <div ref={ref}>
      {width > 0 && (
        <svg
          className={styles.map}
          width={width}
          height={Math.max(0, height)}
          role="img"
          aria-labelledby={titleId}
          aria-describedby={summaryId}
          {...AXIS_STYLE}
        >
          <title id={titleId}>{title}</title>
          <desc id={summaryId}>{summary}</desc>
          {groups.map((group, i) => (
            <g
              key={group.label + String(i)}
              transform={`translate(${(i % grid.perRow) * grid.stepX + PANEL.left} ${Math.floor(i / grid.perRow) * grid.stepY + PANEL.top})`}
            >
              <Panel
                group={group}
                spectra={spectra}
                ranks={ranks}
                decades={decades}
                maxRank={maxRank}
                width={grid.innerWidth}
                height={grid.innerHeight}
              />
            </g>
          ))}
        </svg>
      )}
    </div>
  );
}

interface PanelProps extends Pick<SpectraMapProps, 'spectra' | 'ranks' | 'decades' | 'maxRank'> {
  readonly group: ModuleGroup;
  readonly width: number;
  readonly height: number;
}

/** Widest a column gets: a few modules do not need the whole panel. */
const WIDEST_CELL = 72;

function Panel({ group, spectra, ranks, decades, maxRank, width, height }: PanelProps) {
  const clipId = useId();
  const cellWidth = Math.min(WIDEST_CELL, width / group.members.length);
  const cellHeight = height / maxRank;
  const kept = group.members.map(({ module }) => ranks[module] ?? 0);
  const cell = { width: cellWidth, height: cellHeight };
  const cut = cutLine(kept, cell);
  return (
    <>
      <PanelAxes group={group} {...{ cellWidth, cellHeight, maxRank, width }} />
      <Cells group={group} spectra={spectra} {...{ cellWidth, cellHeight, decades }} kept={false} />
      <clipPath id={clipId}>
        <path d={keptArea(kept, cell)} />
      </clipPath>
      <g clipPath={`url(#${clipId})`}>
        <rect className={styles.ground} width={cellWidth * group.members.length} height={height} />
        <Cells group={group} spectra={spectra} {...{ cellWidth, cellHeight, decades }} kept />
      </g>
      <path className={styles.halo} d={cut} />
      <path className={styles.cut} d={cut} />
    </>
  );
}

interface CellsProps {
  readonly group: ModuleGroup;
  readonly spectra: readonly ArrayLike<number>[];
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly decades: number;
  readonly kept: boolean;
}

/** Drawn once a task: the cut moves over it. */
const Cells = memo(function Cells(props: CellsProps) {
  const { group, spectra, cellWidth, cellHeight, decades, kept } = props;
  const columns = group.members.map(({ module }) => spectra[module] ?? []);
  return (
    <g className={kept ? styles.kept : styles.dropped}>
      {levelPaths(columns, { width: cellWidth, height: cellHeight }, decades).map((path, level) =>
        path === '' ? null : <path key={level} d={path} fillOpacity={opacityOf(level)} />,
      )}
    </g>
  );
});

/** The weakest stays visible: it is there. */
export function opacityOf(level: number): number {
  return 0.1 + (0.9 * level) / (LEVELS - 1);
}

interface PanelAxesProps {
  readonly group: ModuleGroup;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly maxRank: number;
  readonly width: number;
}

const AXIS_STYLE: TextStyle = { fontSize: 11, fontWeight: 400 };
const LABEL_STYLE: TextStyle = { fontSize: 12, fontWeight: 600 };
/** Pixels that a label's lines lie apart. */
const LABEL_HEIGHT = 15;
/** Pixels between the numbers of two blocks. */
const BLOCK_AIR = 8;

/** Measured and drawn once a task: the cut moves beside it. */
const PanelAxes = memo(function PanelAxes(props: PanelAxesProps) {
  const { group, cellWidth, cellHeight, maxRank, width } = props;
  const { label, members } = group;
  const ruler = useTextRuler();
  const longest = members.reduce(
    (most, { block }) => (block.length > most.length ? block : most),
    '',
  );
  const every = Math.ceil((BLOCK_AIR + ruler(longest, AXIS_STYLE).width) / cellWidth);
  const bottom = cellHeight * maxRank;
  const lines = labelLines(label, (line) => ruler(line, LABEL_STYLE).width <= width);
  return (
    <g className={styles.axis}>
      {lines.map((line, i) => (
        <text
          key={i}
          className={styles.label}
          y={-8 - LABEL_HEIGHT * (lines.length - 1 - i)}
          {...LABEL_STYLE}
        >
          {line}
        </text>
      ))}
      {indexTicks(maxRank, cellHeight, 22).map((index) => (
        <text key={index} x={-6} y={(index - 0.5) * cellHeight} dy="0.34em" textAnchor="end">
          {index}
        </text>
      ))}
      {members.map(({ module, block }, i) =>
        i % every === 0 ? (
          <text key={module} x={(i + 0.5) * cellWidth} y={bottom + 15} textAnchor="middle">
            {block}
          </text>
        ) : null,
      )}
    </g>
  );
});
