import { type ModelFacts } from '@/plan/model-facts';
import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { isEmbedding } from '@/formats/checkpoint/token-tables';
import { counted, finding, listed } from './finding';

/**
 * Whether the same text becomes the same tokens everywhere.
 *
 * @param models the base, then the tasks
 */
export function tokenizerFindings(plan: GroupPlan, models: readonly ModelFacts[]): Finding[] {
  const mergesEmbedding = plan.layout.tensors.some(({ name }) => isEmbedding(name));
  const [base, ...tasks] = models;
  if (base === undefined || tasks.length === 0) return [];
  const findings: Finding[] = [];
  const reference = base.tokenizerHash ?? tasks.find((one) => one.tokenizerHash)?.tokenizerHash;
  if (reference === undefined || reference === null) return [];
  const others = models.filter(
    ({ tokenizerHash }) => tokenizerHash !== null && tokenizerHash !== reference,
  );
  if (others.length > 0) findings.push(differs(others, mergesEmbedding));
  const without = models.filter(({ tokenizerHash }) => tokenizerHash === null);
  if (without.length > 0 && mergesEmbedding) findings.push(absent(without));
  if (others.length === 0 && without.length === 0) {
    const title = `All ${counted(models.length, 'checkpoint')} have the same tokenizer.`;
    findings.push(finding({ level: 'ok', topic: 'tokenizer', title }));
  }
  return findings;
}

function differs(others: readonly ModelFacts[], mergesEmbedding: boolean): Finding {
  const names = listed(others.map(({ name }) => name));
  return finding({
    level: mergesEmbedding ? 'warning' : 'note',
    topic: 'tokenizer',
    title: `${names} ${others.length === 1 ? 'has' : 'have'} another tokenizer than the rest.`,
    detail: mergesEmbedding
      ? 'Embeddings are merged row by row: where a row stands for another token, the result is of no use. Look whether only settings differ, or exclude the embedding.'
      : 'No embedding is merged, so nothing is mixed up; use each model with its own tokenizer.',
  });
}

function absent(without: readonly ModelFacts[]): Finding {
  const names = listed(without.map(({ name }) => name));
  return finding({
    level: 'note',
    topic: 'tokenizer',
    title: `${names} ${without.length === 1 ? 'brings' : 'bring'} no tokenizer.`,
    detail: 'It is taken to be that of the others, since the vocabulary has the same size.',
  });
}
