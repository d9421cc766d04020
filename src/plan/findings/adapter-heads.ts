/** What adapters keep whole: heads, vocabularies, embeddings that are heads, too. */
import { type OwnCopy, type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { type Finding } from '@/plan/preflight';
import { isEmbedding, isTokenHead } from '@/formats/checkpoint/token-tables';
import { counted, finding, groupedBy, listed } from './finding';

/** Heads that the base lacks or has otherwise, told once for tasks that bring the same. */
export function headFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  return groupedBy(owners(adapters, isHead), ownKey).map((group) => {
    const [{ copies }] = group;
    const names = group.map(({ name }) => name);
    return finding({
      level: 'note',
      topic: 'own-tensors',
      title: `${listed(names)} ${names.length === 1 ? 'keeps' : 'keep'} ${counted(copies.length, 'tensor')} whole.`,
      detail: `${[...new Set(copies.map(({ why }) => REASONS[why]))].join(' ')} They stay beside the adapter at every rank; the merged adapter has none of them.`,
      names: copies.map(({ path }) => path),
    });
  });
}

/** Vocabularies of another size than the base's. */
export function vocabularyFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  return groupedBy(owners(adapters, isVocabulary), ownKey).map((group) => {
    const [{ copies }] = group;
    const names = group.map(({ name }) => name);
    const { tensor, baseShape } = copies[0]!;
    return finding({
      level: 'warning',
      topic: 'vocabulary',
      title: `${listed(names)} ${names.length === 1 ? 'has' : 'have'} a vocabulary of another size: ${tensor.shape[0]!} rows where the base has ${baseShape![0]!}.`,
      detail:
        'Its tables are not merged: every task that has one keeps its own, and its base must be resized before the adapter is loaded.',
      names: copies.map(({ path }) => path),
    });
  });
}

/** Embeddings that stand in a file twice, for the head that is tied to them. */
export function tiedFindings(adapters: readonly PlannedAdapter[]): Finding[] {
  const tying = adapters.filter(({ tied }) => tied.length > 0);
  if (tying.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'tied',
      title: `${listed(tying.map(({ name }) => name))} ${tying.length === 1 ? 'brings' : 'bring'} an embedding that is the head, too.`,
      detail:
        'The base has one table for both: that one is replaced, and the head follows (ensure_weight_tying).',
      names: [...new Set(tying.flatMap(({ tied }) => tied.map(({ path }) => path)))],
    }),
  ];
}

const REASONS: Readonly<Record<OwnCopy['why'], string>> = {
  'not-in-base': 'The base has no such tensors.',
  tied: 'The base has no head of its own, but uses its embedding.',
  'other-shape': 'Their shapes are not the base’s.',
  'other-shape-elsewhere': 'Their shapes differ in another adapter.',
};

interface Owner {
  readonly name: string;
  readonly copies: readonly OwnCopy[];
}

function owners(
  adapters: readonly PlannedAdapter[],
  which: (copy: OwnCopy) => boolean,
): readonly Owner[] {
  return adapters
    .map(({ name, own }) => ({ name, copies: own.filter(which) }))
    .filter(({ copies }) => copies.length > 0);
}

function isVocabulary({ path, why }: OwnCopy): boolean {
  return why === 'other-shape' && (isEmbedding(path) || isTokenHead(path));
}

function isHead(copy: OwnCopy): boolean {
  return !isVocabulary(copy);
}

function ownKey({ copies }: Owner): string {
  return JSON.stringify(copies.map(({ path, why, tensor }) => [path, why, tensor.shape]));
}
