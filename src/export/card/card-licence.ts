/** The licence a model card can name for what is made of several models. */

export interface CardLicence {
  /** Lines of the front matter, without ends; none where the licence is not known. */
  readonly frontMatter: readonly (readonly [key: string, value: string])[];
  /** A sentence or two for people. */
  readonly said: string;
}

/** Ids that the Hub takes in `license` (Hub documentation, "Licenses"). */
const HUB_IDS: ReadonlySet<string> = new Set(
  (
    'apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 ' +
    'bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear ' +
    'c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 ' +
    'cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 ' +
    'cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ' +
    'ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl ' +
    'lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 ' +
    'odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr ' +
    'deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 ' +
    'llama3.3 llama4 gemma grok2-community'
  ).split(' '),
);

/** A card may say anything; longer ids are cut off. */
const MAX_ID_CHARACTERS = 60;
const LOOK = 'Look at the licences of the sources before you share or use this.';

/**
 * One licence where all sources name the same, `other` where they differ, none where one is silent:
 * it would be a guess.
 *
 * @param licences of every source; several ids in one text stand between commas
 */
export function cardLicence(
  licences: readonly { readonly source: string; readonly licence: string | null }[],
): CardLicence {
  const named = licences.map(({ source, licence }) => ({ source, ids: ids(licence ?? '') }));
  const all = [...new Set(named.flatMap((one) => one.ids))];
  const silent = named.filter((one) => one.ids.length === 0).map(({ source }) => source);
  if (all.length === 0) return { frontMatter: [], said: `No source names a licence. ${LOOK}` };
  if (silent.length > 0) {
    const known = `The licences that are named: ${all.join(', ')}.`;
    return { frontMatter: [], said: `${silent.join(', ')} names none. ${known} ${LOOK}` };
  }
  const [first = ''] = all;
  if (all.length === 1 && HUB_IDS.has(first)) {
    return { frontMatter: [['license', first]], said: `All sources have one licence: ${first}.` };
  }
  return {
    frontMatter: [
      ['license', 'other'],
      ['license_name', all.join('-and-').replace(/[^a-z0-9.+-]+/g, '-')],
      ['license_link', 'README.md#licence'],
    ],
    said: `The sources' licences: ${perSource(named)}. What is made of them may have to follow all. ${LOOK}`,
  };
}

function perSource(named: readonly { readonly source: string; readonly ids: string[] }[]): string {
  return named.map(({ source, ids: own }) => `${source}: ${own.join(' and ')}`).join('; ');
}

function ids(licence: string): string[] {
  return licence
    .split(',')
    .map((id) => id.trim().toLowerCase().replace(/\s+/g, '-').slice(0, MAX_ID_CHARACTERS))
    .filter((id) => id !== '' && id !== 'unknown');
}
