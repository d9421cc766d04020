/** What torch, transformers and peft measured on the demos' files, beside what the page shows. */
import { readFileSync } from 'node:fs';
import { expect } from '@playwright/test';
import { type ResultsFile } from './pages/peru-page';

interface TorchTable {
  /** λ of the merged model. */
  readonly lambda: number;
  readonly tasks: readonly {
    readonly name: string;
    readonly metric?: string;
    readonly n: number;
    readonly scores: Readonly<
      Record<string, { readonly correct?: number; readonly spearman?: number }>
    >;
  }[];
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

/** Most that one more or one less row in another place moves a correlation over 512. */
const CORRELATION_TOLERANCE = 0.01;

/** Every score of a demo is torch's, to one row. */
export function expectTorchScores(demo: keyof typeof DEMOS, results: ResultsFile): void {
  const { torch, methods } = DEMOS[demo];
  expect(results.tasks.map(({ name, metric, n }) => ({ name, metric, n }))).toEqual(
    torch.tasks.map(({ name, metric = 'accuracy', n }) => ({ name, metric, n })),
  );
  for (const [index, { name, n, scores }] of results.tasks.entries()) {
    for (const method of methods) {
      const { correct, spearman } = torchScore(torch, index, method);
      const what = `${name}, ${method}: ${scores[method]}, torch: ${correct ?? spearman} (n ${n})`;
      if (correct === undefined) {
        const away = Math.abs(scores[method]! - spearman!);
        expect(away, what).toBeLessThanOrEqual(CORRELATION_TOLERANCE);
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
