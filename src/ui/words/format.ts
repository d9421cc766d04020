/** Numbers as people read them; one place, so that the page says the same thing everywhere. */
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 0.8754 -> `87.5 %`. */
export function percent(share: number, decimals = 1): string {
  return `${(100 * share).toFixed(decimals)} %`;
}

/** A share of energy, which NaN or Inf inside leaves undefined. */
export function energyPercent(share: number): string {
  return Number.isFinite(share) ? percent(share) : 'not defined';
}

/** A share for running text: number and sign stay on one line. */
export function percentInText(share: number, decimals = 1): string {
  return inText(percent(share, decimals));
}

/** Makes a name or a number with its unit unbreakable: no-break spaces and hyphens. */
export function inText(words: string): string {
  return words.replaceAll(' ', '\u00a0').replaceAll('-', '\u2011');
}

/** Bytes of a round tick: `5 MB`, `1.5 MB`. */
export function bytesTick(value: number): string {
  return bytes(value).replace(/\.(\d*?)0+ /, (_, digits: string) => (digits ? `.${digits} ` : ' '));
}

/** 0.8754 -> `87.5`, where the unit stands elsewhere. */
export function percentNumber(share: number): string {
  return (100 * share).toFixed(1);
}

/** A difference of two shares in points, with its sign: `+31.2`, `−0.4`. */
export function points(difference: number): string {
  const text = Math.abs(100 * difference).toFixed(1);
  if (text === '0.0') return '±0.0';
  return `${difference > 0 ? '+' : '−'}${text}`;
}

/** 1234567 -> `1,234,567`. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `1 fine-tune`, `8 adapters`. */
export function taskCount(tasks: number, isAdapters: boolean): string {
  const noun = isAdapters ? 'adapter' : 'fine-tune';
  return `${count(tasks)} ${tasks === 1 ? noun : `${noun}s`}`;
}

const SMALL_COUNTS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'].concat([
  'Seven',
  'Eight',
  'Nine',
  'Ten',
  'Eleven',
  'Twelve',
]);

/** 8 -> `Eight`, 13 -> `13`: a count that begins a sentence. */
export function countWord(value: number): string {
  return SMALL_COUNTS[value] ?? count(value);
}

/** 3.14e-7 -> `3.1e-7`: an error, small by nature. */
export function tiny(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

/** 833000 -> `833 k`, 87460000 -> `87.5 M`: three figures. */
export function shortCount(value: number): string {
  return scaled(value, ['', ' k', ' M', ' B']);
}

/** Decimal units, three figures: `3.32 MB`. */
export function bytes(value: number): string {
  return scaled(value, [' B', ' kB', ' MB', ' GB', ' TB']);
}

/** `0.8 s`, `12 s`, `3 min 20 s`. */
export function seconds(value: number): string {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (value < 59.5) return `${Math.round(value)} s`;
  const whole = Math.round(value);
  const rest = whole % 60 === 0 ? '' : ` ${whole % 60} s`;
  return `${Math.floor(whole / 60)} min${rest}`;
}

/** A time that is itself an estimate: `8 s`, `3 min`, `2 h 10 min`. */
export function roughTime(value: number): string {
  if (value < 59.5) return `${Math.max(1, Math.round(value))} s`;
  const minutes = Math.round(value / 60);
  if (minutes < 60) return `${minutes} min`;
  const tens = 10 * Math.round((minutes % 60) / 10);
  const hours = Math.floor(minutes / 60) + (tens === 60 ? 1 : 0);
  return tens % 60 === 0 ? `${hours} h` : `${hours} h ${tens} min`;
}

function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  const decimals = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(decimals)}${units[unit] ?? ''}`;
}
