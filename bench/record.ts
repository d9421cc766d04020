/** What a bench measured: a line for people, and a record of the same for the file of `--json`. */

/** Figures by name, with their unit in the name. */
export type Figures = Readonly<Record<string, number | string | boolean>>;

export interface BenchOutput {
  readonly print: (line: string) => void;
  /** @param bench names what was measured, as README.md lists it */
  readonly record: (bench: string, figures: Figures) => void;
}

/** A record among printed lines: scripts/bench.mjs takes it out of them. */
export function recordLine(bench: string, figures: Figures): string {
  return JSON.stringify({ bench, ...figures });
}

/** Both go to one stream of lines. */
export function linesTo(print: (line: string) => void): BenchOutput {
  return {
    print,
    record: (bench, figures) => {
      print(recordLine(bench, figures));
    },
  };
}
