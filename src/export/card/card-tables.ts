/** Tables of a model card: accuracies with intervals, bytes, what positions cost. */
import { COMPRESS_METHODS, COMPRESSORS } from '@/methods/registry';
import { spearmanInterval } from '@/core/statistics/spearman-interval';
import { wilsonInterval } from '@/core/statistics/wilson';
import { type CardFacts, type CardResults, isPackedRecipe } from './card-facts';
import { percent, plain, table, whole } from './card-text';

type Task = CardResults['tasks'][number];

export function accuracySection({ results, method: own }: CardFacts): string {
  const scored = results.tasks.filter(({ scores }) => Object.keys(scores).length > 0);
  if (scored.length === 0) {
    return '## Accuracy\n\nNot measured: there is no evaluator or no test set for these models.';
  }
  const methods = [...new Set(scored.flatMap(({ scores }) => Object.keys(scores)))];
  const rows = scored.map((task) => [
    plain(task.name),
    whole(task.n),
    ...methods.map((method) => cell(task, method)),
  ]);
  const average = [
    'Average',
    '',
    ...methods.map((method) => {
      const value = results.average[method];
      return value === undefined ? '' : percent(value);
    }),
  ];
  const header = [
    'task',
    'n',
    ...methods.map((method) =>
      method === own ? `**${methodTitle(method)}**` : methodTitle(method),
    ),
  ];
  return [
    '## Accuracy',
    table(header, [...rows, average]),
    `Percent of n test rows, with 95 % intervals (Wilson)${
      scored.some(({ metric }) => metric === 'spearman')
        ? '; rank correlation x 100 where marked ρ (Fisher z, Bonett and Wright)'
        : ''
    }. ${plain(methodTitle(own))} is what these files hold.`,
  ].join('\n\n');
}

function cell({ scores, metric, n }: Task, method: string): string {
  const value = scores[method];
  if (value === undefined) return '';
  const isRank = metric === 'spearman';
  const { low, high } = isRank
    ? spearmanInterval(value, n)
    : wilsonInterval(Math.round(value * n), n);
  return `${isRank ? 'ρ ' : ''}${percent(value)} (${percent(low)} to ${percent(high)})`;
}

/** `peru-fft@10` as people say it. */
function methodTitle(method: string): string {
  const [kind = '', setting = ''] = method.split('@');
  const [by, amount] = setting.split('=');
  switch (kind) {
    case 'pretrained':
      return 'Base';
    case 'finetuned':
      return 'Fine-tuned';
    case 'merged':
      return 'Merged';
  }
  const compressor = COMPRESS_METHODS.find((known) => known === kind);
  if (compressor === undefined) return plain(method);
  const { title, keeps } = COMPRESSORS[compressor];
  if (keeps === 'entries') return `${title}, m = ${plain(setting)} %`;
  if (amount === undefined) return `${title}, q = ${plain(setting)}`;
  return `${title}, ${plain(amount)} ${AMOUNTS[by ?? ''] ?? 'bytes'}`;
}

/** What the number of a method is, by its key in the id. */
const AMOUNTS: Readonly<Record<string, string>> = {
  energy: '% energy',
  fro: 'of the norm',
  ratio: '= σ₁ over the least σ',
};

export function storageSection({ results, method: own }: CardFacts): string {
  if (results.storage.length === 0) return '';
  const rows = results.storage.map(({ method, files, bytes }) => [
    method === own ? `**${methodTitle(method)}**` : methodTitle(method),
    whole(files.length),
    whole(bytes),
  ]);
  return [
    '## Bytes',
    'What serving all tasks takes, by method:',
    table(['method', 'files', 'bytes'], rows),
  ].join('\n\n');
}

export function indexSection({ index, recipe }: CardFacts): string {
  if (index.length === 0) return '';
  const rows = index.map(({ task, kept, gapBytes, entropyBytes }) => [
    plain(task),
    whole(kept),
    whole(gapBytes),
    whole(entropyBytes),
    entropyBytes > 0 ? `${percent(gapBytes / entropyBytes - 1)} %` : '',
  ]);
  // A code that knows in which tensors entries gather may take less than any could at random.
  const [least, bound] = isPackedRecipe(recipe)
    ? ['as many scattered at random would need', 'entropy at random']
    : ['any code needs on average for so many among so many', 'entropy bound'];
  return [
    `Positions of the kept entries, against the least that ${least}, N H(k / N) / 8 bytes:`,
    table(['task', 'kept entries', 'bytes of positions', bound, 'over it'], rows),
  ].join('\n\n');
}
