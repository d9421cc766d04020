/** Every evaluator family, and which of them scores a base. */
import { unsupportedConfig, seenModelType, type Json } from '@/evaluate/runtime/config-json';
import { type RowKind } from '@/protocol/group-facts';
import { clip } from './clip-scorer';
import { type EvaluatorFamily, type Protocol, PROTOCOLS } from './evaluator-family';
import { t5 } from './text-scorer';

const FAMILIES = { clip, t5 } as const satisfies Record<string, EvaluatorFamily>;

interface Evaluator {
  readonly family: EvaluatorFamily;
  readonly protocol: Protocol;
}

/**
 * The family that knows a base by its config.json, and its protocol for the tests' kind of rows.
 *
 * @throws PeruError 'unsupported' where no family scores such a base on such rows
 */
export function evaluatorFor(config: Json, rowKind: RowKind): Evaluator {
  const evaluators = Object.values(FAMILIES).flatMap((family: EvaluatorFamily) =>
    protocolsOf(family, rowKind).map((protocol): Evaluator => ({ family, protocol })),
  );
  const found = evaluators.find(({ family }) => family.recognises(config));
  if (found !== undefined) return found;
  throw nothingFits(config, evaluators);
}

function protocolsOf({ opens }: EvaluatorFamily, rowKind: RowKind): Protocol[] {
  const all = Object.keys(PROTOCOLS) as Protocol[];
  return all.filter((one) => PROTOCOLS[one].rowKind === rowKind && opens[one] !== undefined);
}

/** Names what would do: by protocol, the models that it scores. */
function nothingFits(config: Json, evaluators: readonly Evaluator[]) {
  const protocols = [...new Set(evaluators.map(({ protocol }) => protocol))];
  const wanted = protocols.map((protocol) => {
    const models = evaluators
      .filter((one) => one.protocol === protocol)
      .map(({ family: { title, modelType } }) => `${title} models (model_type "${modelType}")`);
    return `${PROTOCOLS[protocol].isFor} ${models.join(' and ')}`;
  });
  const titles = evaluators.map(({ family }) => family.title).join(' or ');
  return unsupportedConfig(
    `model_type is ${seenModelType(config)}: ${wanted.join('; ')}`,
    `a ${titles} model`,
  );
}
