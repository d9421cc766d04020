import { licenceIds, type LicenceTerms, licenceTerms } from '@/plan/licences';
import { type ModelFacts } from '@/plan/model-facts';
import { type Finding } from '@/plan/preflight';
import { finding, groupedBy, listed } from './finding';

interface Named {
  readonly model: string;
  readonly id: string;
  readonly terms: LicenceTerms | null;
}

/** What the licences of a group ask to be looked at before its merge is shared. */
export function licenceFindings(models: readonly ModelFacts[]): Finding[] {
  const named = models.flatMap(({ name, licence }) =>
    licenceIds(licence ?? '').map((id): Named => ({ model: name, id, terms: licenceTerms(id) })),
  );
  const silent = models.filter(({ licence }) => licenceIds(licence ?? '').length === 0);
  const isOne = new Set(named.map(({ id }) => id)).size === 1;
  return [
    ...about(named, 'noDerivatives', 'warning', NO_DERIVATIVES),
    ...about(named, 'nonCommercial', 'warning', NON_COMMERCIAL),
    ...(isOne ? [] : about(named, 'sameLicence', 'warning', MIXED_COPYLEFT)),
    ...(isOne ? about(named, 'sameLicence', 'note', COPYLEFT) : []),
    ...about(named, 'conditions', 'note', CONDITIONS),
    ...unknown(named),
    ...(silent.length === 0 ? [] : [silence(silent, models.length)]),
    ...(isOne ? [] : differing(named)),
    ...(isOne && silent.length === 0 ? allTheSame(named) : []),
  ];
}

const NO_DERIVATIVES = {
  says: 'not to share changed versions',
  detail: 'A merge may count as one. Look at the licence before you share the result.',
};
const NON_COMMERCIAL = {
  says: 'to limit commercial use',
  detail:
    'The same may hold for the merge. Look at the licence before you use or share the result.',
};
const MIXED_COPYLEFT = {
  says: 'that what is derived from it has the same licence',
  detail:
    'Other checkpoints of this group have other licences. Look whether they go together before you share the result.',
};
const COPYLEFT = {
  says: 'that what is derived from it has the same licence',
  detail: 'All checkpoints have it; look at it before you share the result.',
};
const CONDITIONS = {
  says: 'conditions of its own',
  detail:
    'They may concern uses, names or attribution. Look at the licence before you share the result.',
};

/** One finding for each licence that has a term. */
function about(
  named: readonly Named[],
  term: keyof LicenceTerms,
  level: Finding['level'],
  { says, detail }: { readonly says: string; readonly detail: string },
): Finding[] {
  const bound = named.filter(({ terms }) => terms?.[term] === true);
  return groupedBy(bound, ({ id }) => id).map((group) => {
    const models = listed(group.map(({ model }) => model));
    const title = `The licence of ${models}, ${group[0].id}, is known to ask ${says}.`;
    return finding({
      level,
      topic: 'licence',
      title: term === 'conditions' ? title.replace('is known to ask', 'has') : title,
      detail,
    });
  });
}

function unknown(named: readonly Named[]): Finding[] {
  const strange = named.filter(({ terms }) => terms === null);
  return groupedBy(strange, ({ id }) => id).map((group) =>
    finding({
      level: 'note',
      topic: 'licence',
      title: `The licence of ${listed(group.map(({ model }) => model))}, ${group[0].id}, is not known to Peru.`,
      detail: 'Look at it before you share the result.',
    }),
  );
}

function silence(silent: readonly ModelFacts[], of: number): Finding {
  const all = silent.length === of;
  const who = all ? 'No model card' : `The model card of ${listed(silent.map(({ name }) => name))}`;
  return finding({
    level: 'note',
    topic: 'licence',
    title: all ? `${who} names a licence.` : `${who} names no licence.`,
    detail: 'Ask its authors before you share the result.',
  });
}

function differing(named: readonly Named[]): Finding[] {
  const groups = groupedBy(named, ({ id }) => id);
  if (groups.length < 2) return [];
  const told = groups.map((group) => `${group[0].id} (${listed(group.map(({ model }) => model))})`);
  return [
    finding({
      level: 'note',
      topic: 'licence',
      title: 'The checkpoints have different licences.',
      detail: `${told.join(', ')}. The result may have to follow all of them.`,
    }),
  ];
}

function allTheSame(named: readonly Named[]): Finding[] {
  const [first] = named;
  if (first?.terms?.permissive !== true) return [];
  const title = `All checkpoints have one licence, ${first.id}.`;
  return [finding({ level: 'ok', topic: 'licence', title })];
}
