/**
 * Scores generated answers as the public Flan-T5 GLUE protocol does (methods 4.6): whole strings
 * are compared, or read as numbers and ranked.
 */
import { PeruError } from '@/core/errors';
import { type Outcome } from '@/evaluate/runtime/outcome';

export type TextMetric = 'accuracy' | 'spearman';

export interface TextTask {
  readonly metric: TextMetric;
  /** The right answer of each class; null for a metric of numbers. */
  readonly answers: readonly string[] | null;
}

/** What Python's float() takes, but for its names of infinity and NaN. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Compares generated answers with the labels of their rows.
 *
 * 'accuracy': an answer is right when it equals `answers[label]` to the letter. 'spearman':
 * answers are read as numbers, 0 where they are none, beside the labels rounded to one decimal, as
 * the protocol asks for them; `metricValue` ranks them.
 *
 * @throws PeruError 'mismatch' when a label has no answer in the task
 */
export function scoreAnswers(
  generated: readonly string[],
  labels: readonly number[],
  task: TextTask,
): Outcome {
  const n = generated.length;
  if (labels.length !== n) throw new RangeError(`${n} answers for ${labels.length} labels.`);
  if (task.metric === 'spearman') {
    const predicted = generated.map(readNumber);
    return { metric: 'spearman', predicted, expected: labels.map(oneDecimal) };
  }
  let correct = 0;
  for (const [i, answer] of generated.entries()) {
    if (answer === rightAnswer(labels[i]!, task)) correct++;
  }
  return { metric: 'accuracy', correct, n };
}

/** The answer's number, 0 where it is none. */
export function readNumber(answer: string): number {
  const text = answer.trim();
  const value = NUMBER.test(text) ? Number(text) : 0;
  return Number.isFinite(value) ? value : 0;
}

/** As Python's "{:.1f}": to the nearest tenth of the exact value, ties to the even one. */
export function oneDecimal(value: number): number {
  // Only multiples of a quarter that are no half lie midway: binary has no other such numbers.
  const midway = Number.isInteger(value * 4) && !Number.isInteger(value * 2);
  if (!midway) return Number(value.toFixed(1));
  const below = Math.floor(value * 10);
  return (below % 2 === 0 ? below : below + 1) / 10;
}

function rightAnswer(label: number, task: TextTask): string {
  const answer = task.answers?.[label];
  if (answer !== undefined) return answer;
  throw new PeruError(
    'mismatch',
    `Label ${label} has no answer: the task lists ${task.answers?.length ?? 0}.`,
    'List one answer for each class of the data set, in the order of its labels.',
  );
}
