/** A choice of ranks as recipes hold it: one number, under a key of its own. */
import { type RankChoice } from '@/methods/peru-lora';
import { type JsonFields } from './json-fields';

/** See `RankChoice`, in the same order. */
export type RankRecord =
  | { readonly q: number }
  | { readonly energy: number }
  | { readonly fro: number }
  | { readonly ratio: number }
  | { readonly bytes: number };

const KEYS = ['q', 'energy', 'fro', 'ratio', 'bytes'] as const;
const MAX_RANK = 65_536;

export function rankRecord(rank: RankChoice): RankRecord {
  switch (rank.by) {
    case 'count':
      return { q: rank.q };
    case 'energy':
      return { energy: rank.percent };
    case 'fro':
      return { fro: rank.share };
    case 'ratio':
      return { ratio: rank.ratio };
    case 'bytes':
      return { bytes: rank.budget };
  }
}

export function rankOfRecord(record: RankRecord): RankChoice {
  if ('q' in record) return { by: 'count', q: record.q };
  if ('energy' in record) return { by: 'energy', percent: record.energy };
  if ('fro' in record) return { by: 'fro', share: record.fro };
  if ('ratio' in record) return { by: 'ratio', ratio: record.ratio };
  return { by: 'bytes', budget: record.bytes };
}

/** @throws PeruError `parse` where there is none, or more than one */
export function readRankRecord(fields: JsonFields): RankRecord {
  const given = KEYS.filter((key) => fields.has(key));
  const [by] = given;
  if (by === undefined || given.length > 1) {
    return fields.fail('', 'needs one of "q", "energy", "fro", "ratio" and "bytes"');
  }
  switch (by) {
    case 'q':
      return { q: fields.whole('q', 1, MAX_RANK) };
    case 'energy':
      return { energy: fields.number('energy', 0, 100) };
    case 'fro':
      return { fro: fields.number('fro', 0, 1) };
    case 'ratio':
      return { ratio: fields.number('ratio', 1, Number.MAX_VALUE) };
    case 'bytes':
      return { bytes: fields.whole('bytes', 0) };
  }
}
