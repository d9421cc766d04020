/** The spectra map's geometry: modules grouped by what they are, cells, and the cut. Pure. */

/** Modules of one kind, e.g. every `encoder SelfAttention q`, in the order of their blocks. */
export interface ModuleGroup {
  readonly label: string;
  readonly members: readonly {
    /** Position among all modules. */
    readonly module: number;
    /** The block it belongs to, as its name counts; empty where it counts nothing. */
    readonly block: string;
  }[];
}

/** Steps of colour: the eye tells no more apart, and each is one path. */
export const LEVELS = 12;

/**
 * Groups weights whose names differ only in numbers. A label holds the words by which a group
 * differs from the others; blocks come in numeric order.
 *
 * @param names the base's weights, e.g. `encoder.block.3.layer.0.SelfAttention.q.weight`
 */
export function groupModules(names: readonly string[]): readonly ModuleGroup[] {
  const groups = new Map<string, { words: readonly string[]; members: Member[] }>();
  names.forEach((name, module) => {
    const parts = partsOf(name);
    const key = parts.map((part) => (isNumber(part) ? '*' : part)).join('.');
    const words = parts.filter((part) => !isNumber(part));
    const group = groups.get(key) ?? { words, members: [] };
    group.members.push({ module, numbers: parts.filter(isNumber) });
    groups.set(key, group);
  });
  const all = [...groups.values()];
  const shared = (word: string): boolean => all.every(({ words }) => words.includes(word));
  return all.map(({ words, members }) => {
    const own = words.filter((word) => !shared(word));
    const counter = countingPart(members);
    return {
      label: own.length > 0 ? own.join(' ') : (words.at(-1) ?? ''),
      members: [...members]
        .sort((a, b) => compareNumbers(a.numbers, b.numbers))
        .map(({ module, numbers }) => ({ module, block: numbers[counter] ?? '' })),
    };
  });
}

/** Names of kohya's join their parts by `_`. */
function partsOf(name: string): string[] {
  return name.replace(/\.weight$/, '').split(name.includes('.') ? '.' : '_');
}

interface Member {
  readonly module: number;
  /** The numbers in its name, from left to right. */
  readonly numbers: readonly string[];
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part);
}

/** The first number that differs within the group; the first of all where none does. */
function countingPart(members: readonly Member[]): number {
  const [first, ...others] = members;
  const at = first?.numbers.findIndex((number, i) =>
    others.some((one) => one.numbers[i] !== number),
  );
  return Math.max(0, at ?? 0);
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (const [i, number] of a.entries()) {
    const difference = Number(number) - Number(b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Factors of ten from the strongest to the weakest value shown: 1..4, as the spectra need. */
export function decadesOf(spectra: readonly ArrayLike<number>[]): number {
  let least = 1;
  for (const values of spectra) {
    const first = values[0] ?? 0;
    for (let i = 1; i < values.length; i++) {
      const ratio = (values[i] ?? 0) / first;
      if (ratio > 0 && ratio < least) least = ratio;
    }
  }
  return Math.min(4, Math.max(1, Math.ceil(-Math.log10(least))));
}

/** 0..LEVELS - 1 of a value beside its module's largest, by logarithm. */
export function levelOf(value: number, largest: number, decades: number): number {
  // Also what is no number at all, where NaN was let in.
  if (!(value > 0) || !(largest > 0)) return 0;
  const share = 1 + Math.log10(value / largest) / decades;
  return Math.min(LEVELS - 1, Math.max(0, Math.floor(share * LEVELS)));
}

export interface CellSize {
  readonly width: number;
  readonly height: number;
}

/**
 * One path a level: a rectangle for each singular value, a column a module, the largest on top.
 *
 * @param columns singular values of each module, descending; a module without any has no cells
 */
export function levelPaths(
  columns: readonly ArrayLike<number>[],
  cell: CellSize,
  decades: number,
): readonly string[] {
  const paths = new Array<string>(LEVELS).fill('');
  // Where cells are large enough, a hairline between them tells them apart.
  const [gapX, gapY] = [cell.width >= 5 ? 1 : 0, cell.height >= 4 ? 1 : 0];
  columns.forEach((values, column) => {
    for (let i = 0; i < values.length; i++) {
      const level = levelOf(values[i] ?? 0, values[0] ?? 0, decades);
      const [x, y] = [round(column * cell.width), round(i * cell.height)];
      const [w, h] = [round(cell.width - gapX), round(cell.height - gapY)];
      paths[level] = `${paths[level] ?? ''}M${x} ${y}h${w}v${h}h${-w}z`;
    }
  });
  return paths;
}

/** The area of the triplets kept: what a clip path lets through. */
export function keptArea(ranks: readonly number[], cell: CellSize): string {
  return ranks
    .map(
      (rank, i) =>
        `M${round(i * cell.width)} 0h${round(cell.width)}v${round(rank * cell.height)}h${round(-cell.width)}z`,
    )
    .join('');
}

/** The stepped line between kept and dropped. */
export function cutLine(ranks: readonly number[], cell: CellSize): string {
  return ranks
    .map((rank, i) => {
      const y = round(rank * cell.height);
      return `${i === 0 ? `M0 ${y}` : `V${y}`}H${round((i + 1) * cell.width)}`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}

export interface PanelGrid {
  readonly perRow: number;
  /** Pixels of a panel's cells. */
  readonly innerWidth: number;
  readonly innerHeight: number;
  /** Pixels from one panel to the next. */
  readonly stepX: number;
  readonly stepY: number;
}

/** Room for the numbers beside, and the names above and below a panel's cells. */
export const PANEL = { left: 26, top: 38, bottom: 22, gap: 18, least: 112, most: 420 };

/** As many panels in a row as stay legible; cells as high as their number allows. */
export function panelGrid(groupCount: number, maxRank: number, width: number): PanelGrid {
  const fit = Math.floor((width + PANEL.gap) / (PANEL.left + PANEL.least + PANEL.gap));
  const most = Math.max(1, Math.min(groupCount, fit));
  // As many rows as that takes, evenly filled.
  const perRow = Math.ceil(groupCount / Math.ceil(groupCount / most)) || 1;
  const stepX = Math.min(PANEL.left + PANEL.most + PANEL.gap, (width + PANEL.gap) / perRow);
  const innerWidth = Math.max(1, stepX - PANEL.gap - PANEL.left);
  const innerHeight = maxRank * Math.min(14, Math.max(1, 150 / Math.max(1, maxRank)));
  const stepY = PANEL.top + innerHeight + PANEL.bottom + PANEL.gap;
  return { perRow, innerWidth, innerHeight, stepX, stepY };
}

/** The label in at most two lines that fit; what does not is cut at the front. */
export function labelLines(label: string, fits: (line: string) => boolean): readonly string[] {
  if (fits(label)) return [label];
  const words = label.split(' ');
  const rest = words.findIndex((_, i) => fits(words.slice(i).join(' ')));
  const second = rest < 0 ? label : words.slice(rest).join(' ');
  const first = rest < 0 ? '' : words.slice(0, rest).join(' ');
  return [first, second].filter((line) => line !== '').map((line) => shortened(line, fits));
}

function shortened(line: string, fits: (line: string) => boolean): string {
  if (fits(line)) return line;
  const ends = Array.from(line, (_, i) => `…${line.slice(i + 1)}`);
  return ends.find(fits) ?? '…';
}

/** 1, the last, and round ones between that stand `gap` pixels apart. */
export function indexTicks(maxRank: number, cellHeight: number, gap: number): readonly number[] {
  const step = [1, 2, 4, 8, 16, 32, 64, 128].find((size) => size * cellHeight >= gap) ?? maxRank;
  const between = Array.from({ length: Math.floor(maxRank / step) }, (_, i) => (i + 1) * step);
  const inner = between.filter(
    (tick) => tick > 1 && (tick - 1) * cellHeight >= gap && (maxRank - tick) * cellHeight >= gap,
  );
  return [...new Set([1, ...inner, maxRank])];
}
