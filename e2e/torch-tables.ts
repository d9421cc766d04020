/** What torch, transformers and peft measured on the demos' files, beside what the page shows. */
import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import { type ResultsFile } from './pages/peru-page';
import { FIRST_ROWS } from './short-zoo';

/** The first rows in `npm test`, all of them in `npm run test:full`; torch has told both. */
export const TORCH_ROWS = [
  { zoo: 'first-rows', title: 'the first rows' },
  { zoo: 'whole', title: 'all rows @full' },
] as const;

interface TorchTable {
  /** λ of the merged model. */
  readonly lambda: number;
  readonly tasks: readonly {
    readonly name: string;
    readonly metric?: string;
    readonly n: number;
    readonly scores: Readonly<Record<string, TorchScore>>;
  }[];
}

/** Of all rows, and of the first `FIRST_ROWS`. */
interface TorchScore {
  readonly correct?: number;
  readonly correct128?: number;
  readonly spearman?: number;
  readonly spearman128?: number;
}

const MODELS = ['pretrained', 'finetuned', 'merged'];

/** By the value of `?demo=`; written by scripts/zoo. */
const DEMOS = {
  fft: {
    torch: readTable('torch-table.json'),
    methods: [...MODELS, ...[1, 5, 10].flatMap((m) => [`post-pruning@${m}`, `peru-fft@${m}`])],
  },
  lora: {
    torch: readTable('text/torch-table.json'),
    methods: [...MODELS, ...[16, 8, 4].map((rank) => `peru-lora@${rank}`)],
  },
};

/** Most that one more or one less row in another place moves a correlation over n, times n. */
const CORRELATION_ROW = 5;

/** Every score of a demo is torch's, to one row: of all rows, or of the first. */
export function expectTorchScores(
  demo: keyof typeof DEMOS,
  results: ResultsFile,
  extent: (typeof TORCH_ROWS)[number]['zoo'],
): void {
  const { torch, methods } = DEMOS[demo];
  const rowsOf = (n: number): number => (extent === 'whole' ? n : FIRST_ROWS);
  expect(results.tasks.map(({ name, metric, n }) => ({ name, metric, n }))).toEqual(
    torch.tasks.map(({ name, metric = 'accuracy', n }) => ({ name, metric, n: rowsOf(n) })),
  );
  for (const [index, { name, n, scores }] of results.tasks.entries()) {
    for (const method of methods) {
      const torchs = torchScore(torch, index, method);
      const [correct, spearman] =
        extent === 'whole'
          ? [torchs.correct, torchs.spearman]
          : [torchs.correct128, torchs.spearman128];
      const what = `${name}, ${method}: ${scores[method]}, torch: ${correct ?? spearman} (n ${n})`;
      if (correct === undefined) {
        const away = Math.abs(scores[method]! - spearman!);
        expect(away, what).toBeLessThanOrEqual(CORRELATION_ROW / n);
      } else {
        expect(Math.abs(Math.round(scores[method]! * n) - correct), what).toBeLessThanOrEqual(1);
      }
    }
  }
  expect(results.storage.map(({ method }) => method)).toEqual(expect.arrayContaining(methods));
}

function readTable(path: string): TorchTable {
  const url = new URL(`../scripts/zoo/golden/${path}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as TorchTable;
}

/** A table of several mergers names each; the page has one merged column. */
function torchScore({ lambda, tasks }: TorchTable, index: number, method: string) {
  const { scores } = tasks[index]!;
  return (method in scores ? scores[method] : scores[`merged:task-arithmetic@${lambda}`])!;
}
