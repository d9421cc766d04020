/** What fine-tunes keep whole: heads, vocabularies of another size, parts that others lack. */
import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { type OwnTensor } from '@/plan/sort-tensors';
import { isEmbedding, isTokenHead } from '@/formats/checkpoint/token-tables';
import { counted, finding, groupedBy, listed } from './finding';

interface Owner {
  readonly task: string;
  readonly tensors: readonly OwnTensor[];
  /** Part of the task's numbers. */
  readonly share: number;
}

/** Above this part of a fine-tune, what can not be merged is no head any more. */
const MUCH = 0.1;

/** Heads and other tensors that stay with their task, told once for tasks that keep the same. */
export function ownTensorFindings(plan: GroupPlan): Finding[] {
  return groupedBy(owners(plan, isOther), ownKey).map((group) => {
    const [{ tensors, share }] = group;
    const tasks = group.map(({ task }) => task);
    const percent = share >= MUCH ? `, ${Math.round(100 * share)} % of ${them(tasks)}` : '';
    return finding({
      level: share >= MUCH ? 'warning' : 'note',
      topic: 'own-tensors',
      title: `${listed(tasks)} ${tasks.length === 1 ? 'keeps' : 'keep'} ${counted(tensors.length, 'tensor')} whole${percent}.`,
      detail: `${[...new Set(tensors.map(({ why }) => REASONS[why]))].join(' ')} They are stored beside the sparse vector and never merged.`,
      names: tensors.map(({ name }) => name),
    });
  });
}

/** Vocabularies of another size than the base's. */
export function vocabularyFindings(plan: GroupPlan): Finding[] {
  return groupedBy(owners(plan, isVocabulary), vocabularyKey).map((group) => {
    const [{ tensors }] = group;
    const tasks = group.map(({ task }) => task);
    const { shape, baseShape } = tensors[0]!;
    const rows = `${shape[0]!} rows where the base has ${baseShape![0]!}`;
    return finding({
      level: 'warning',
      topic: 'vocabulary',
      title: `${listed(tasks)} ${tasks.length === 1 ? 'has' : 'have'} a vocabulary of another size: ${rows}.`,
      detail:
        'Tokens may stand for other words there, so its embedding is not merged: every task that has one keeps its own.',
      names: tensors.map(({ name }) => name),
    });
  });
}

const REASONS: Readonly<Record<OwnTensor['why'], string>> = {
  'not-in-base': 'The base has no such tensors.',
  'other-shape': 'Their shapes are not the base’s.',
  'other-shape-elsewhere': 'Their shapes differ in another fine-tune.',
  'lacking-elsewhere': 'Another fine-tune lacks them, and is not taken for unchanged.',
};

/** Rows more or less of a table of tokens, whose rows are as long as the base's. */
function isVocabulary({ baseName, shape, baseShape }: OwnTensor): boolean {
  if (!isEmbedding(baseName) && !isTokenHead(baseName)) return false;
  const isTable = shape.length === 2 && baseShape?.length === 2;
  return isTable && shape[1] === baseShape[1] && shape[0] !== baseShape[0];
}

function isOther(tensor: OwnTensor): boolean {
  return !isVocabulary(tensor);
}

function owners(
  { details, checkpoints }: GroupPlan,
  which: (tensor: OwnTensor) => boolean,
): Owner[] {
  return details.own.flatMap((all, task) => {
    const tensors = all.filter(which);
    if (tensors.length === 0) return [];
    const elements = tensors.reduce((sum, { elementCount }) => sum + elementCount, 0);
    const share = elements / Math.max(1, checkpoints[task + 1]!.parameterCount);
    return [{ task: details.names[task + 1]!, tensors, share }];
  });
}

/** Fine-tunes that keep the same names for the same reasons, and about as much, are told as one. */
function ownKey({ tensors, share }: Owner): string {
  const percent = share >= MUCH ? Math.round(100 * share) : 0;
  return JSON.stringify([percent, tensors.map(({ name, why }) => [name, why])]);
}

function vocabularyKey({ tensors }: Owner): string {
  return JSON.stringify(tensors.map(({ name, shape }) => [name, shape]));
}

function them(tasks: readonly string[]): string {
  return tasks.length === 1 ? 'it' : 'each';
}
