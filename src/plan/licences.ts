/**
 * What is known of licences, by their ids on the Hub (which are SPDX's where there is one), as far
 * as it matters to a merge of models. Hints where to look, not legal advice: what a licence means
 * for weights is for its text and a court to say.
 */

export interface LicenceTerms {
  /** Known to ask for little more than a notice. */
  readonly permissive: boolean;
  /** Forbids, or restricts, commercial use. */
  readonly nonCommercial: boolean;
  /** Forbids to share changed versions. */
  readonly noDerivatives: boolean;
  /** Asks that what is derived has the same licence: share-alike, copyleft. */
  readonly sameLicence: boolean;
  /** Conditions of its own, e.g. on uses, names or the number of users. */
  readonly conditions: boolean;
}

const NO_TERMS: LicenceTerms = {
  permissive: false,
  nonCommercial: false,
  noDerivatives: false,
  sameLicence: false,
  conditions: false,
};

const PERMISSIVE =
  /^(?:apache-2\.0|mit(?:-0)?|bsd(?:-\d-clause(?:-clear)?)?|0bsd|isc|cc0-1\.0|cc-by-\d\.\d|unlicense|wtfpl|zlib|ncsa|postgresql|afl-3\.0|artistic-2\.0|bsl-1\.0|ecl-2\.0|ms-pl|pddl|odc-by|cdla-permissive-[12]\.0|etalab-2\.0|ofl-1\.1|openmdw-1\.0|c-uda)$/;
const SAME_LICENCE =
  /^(?:a?gpl(?:-\d\.\d)?|lgpl(?:-\d\.\d)?|lgpl-lr|mpl-2\.0|epl-\d\.\d|eupl-1\.\d|osl-3\.0|odbl|gfdl|lppl-1\.3c|cdla-sharing-1\.0)$/;
const CONDITIONS =
  /^(?:llama[\d.]*|gemma|grok2-community|deepfloyd-if-license|.*openrail.*|bigscience-bloom-rail-1\.0|apple-as[ck]l|cc|other)$/;
const RESEARCH_ONLY =
  /^(?:apple-amlr|fair-noncommercial-research-license|h-research|intel-research)$/;
/** Ids of licences that people name themselves behind `other`. */
const NON_COMMERCIAL_NAME = /non-?commercial|(?:^|-)nc(?:-|$)|research-only/;
const COMMUNITY_NAME = /^(?:llama|gemma|qwen|deepseek|falcon|mistral|yi|health-ai)\b/;

/** What a licence id says, or null for one that is not known. Ids are compared without case. */
export function licenceTerms(id: string): LicenceTerms | null {
  const name = canonical(id);
  if (PERMISSIVE.test(name)) return { ...NO_TERMS, permissive: true };
  if (/^cc-by-(?:nc|nd|sa)/.test(name)) return creativeCommons(name);
  if (SAME_LICENCE.test(name)) return { ...NO_TERMS, sameLicence: true };
  if (RESEARCH_ONLY.test(name)) return { ...NO_TERMS, nonCommercial: true, conditions: true };
  if (CONDITIONS.test(name)) return { ...NO_TERMS, conditions: true };
  if (NON_COMMERCIAL_NAME.test(name)) return { ...NO_TERMS, nonCommercial: true, conditions: true };
  if (COMMUNITY_NAME.test(name)) return { ...NO_TERMS, conditions: true };
  return null;
}

/** A card may say anything; more or longer ids than these are cut off. */
const MAX_IDS = 8;
const MAX_ID_CHARACTERS = 60;

/** The ids a card names: one, or several joined by commas. */
export function licenceIds(licence: string): readonly string[] {
  return licence
    .split(',')
    .map((id) => canonical(id).slice(0, MAX_ID_CHARACTERS))
    .filter((id) => id !== '')
    .slice(0, MAX_IDS);
}

/** `GPL-3.0-or-later` and `gpl-3.0` are one licence here. */
function canonical(id: string): string {
  return id
    .trim()
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/-(?:only|or-later)$/, '');
}

function creativeCommons(name: string): LicenceTerms {
  const parts = name.split('-');
  return {
    ...NO_TERMS,
    nonCommercial: parts.includes('nc'),
    noDerivatives: parts.includes('nd'),
    sameLicence: parts.includes('sa'),
  };
}
