import { type ModelFacts } from '@/plan/model-facts';
import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { architectureFindings } from './architecture';
import { dtypeFindings } from './dtypes';
import { emptyFindings } from './empty';
import { byLevel } from './finding';
import { integerFindings } from './integers';
import { licenceFindings } from './licences';
import { nameFindings } from './names';
import { ownTensorFindings, vocabularyFindings } from './own-tensors';
import { patternFindings } from './patterns';
import { tensorFindings } from './tensors';
import { tiedFindings } from './tied';
import { tokenizerFindings } from './tokenizer';

/**
 * What is to say of a group of full fine-tunes: warnings, notes, what is well.
 *
 * @param group.models the base, then the tasks, in the order of the plan
 */
export function groupFindings(group: {
  readonly plan: GroupPlan;
  readonly models: readonly ModelFacts[];
}): Finding[] {
  const { plan, models } = group;
  return byLevel([
    ...patternFindings(plan),
    ...vocabularyFindings(plan),
    ...tokenizerFindings(plan, models),
    ...architectureFindings(models),
    ...ownTensorFindings(plan),
    ...emptyFindings(plan),
    ...tensorFindings(plan),
    ...nameFindings(plan),
    ...tiedFindings(plan),
    ...dtypeFindings(plan),
    ...integerFindings(plan),
    ...licenceFindings(models),
  ]);
}
