/** Reads recipe.json of LoRA files without a base. Input is hostile. */
import { isRecord, type JsonFields } from './json-fields';
import { LORA_SPELLINGS, type LoraChoices } from './lora-choices';
import { type LoraRecipeFile, type LoraRecord, type LoraSourceRecord } from './lora-recipe-file';
import { rankOfRecord, readRankRecord } from './rank-record';
import { groupRecordOf, PATH, sourceRecordOf, versioned } from './read-recipe';
import { type Recipe } from './recipe';

const MAX_CAP = 65_536;
const MAX_WEIGHT = 1e6;

/** Whether parsed JSON is such a recipe rather than one of models. */
export function isLoraRecipe(json: unknown): boolean {
  return isRecord(json) && json['peru'] !== undefined && json['lora'] !== undefined;
}

/** @throws PeruError `parse` where a part is missing or out of bounds, `unsupported` for a newer version */
export function readLoraRecipe(json: unknown, file = 'recipe.json'): LoraRecipeFile {
  const fields = versioned(json, file);
  const files = fields.objects('files').map(fileRecord);
  if (files.length === 0) fields.fail('files', 'is empty');
  const lora = loraRecord(fields.object('lora'), files.length);
  return {
    peru: 1,
    title: fields.text('title'),
    group: groupRecordOf(fields.object('group')),
    lora,
    ...(fields.has('written') ? { written: fields.text('written', PATH) } : {}),
    files,
  };
}

/** What the page sets by it; weights go by the files' names. */
export function loraSettings({ lora, files }: LoraRecipeFile): Pick<Recipe, 'rank' | 'lora'> {
  const { make, rank, cap = null, convolutions, spelling, alpha, carried, weights = [] } = lora;
  const choices: LoraChoices = {
    make,
    cap,
    convolutions: convolutions === undefined ? null : rankOfRecord(convolutions),
    spelling,
    alpha,
    carried: carried ?? 'keep',
    weights: Object.fromEntries(weights.map((weight, i) => [files[i]!.name, weight])),
  };
  return { rank: rankOfRecord(rank), lora: choices };
}

function fileRecord(source: JsonFields): LoraSourceRecord {
  return {
    ...sourceRecordOf(source),
    ...(source.has('written') ? { written: source.text('written', PATH) } : {}),
  };
}

function loraRecord(lora: JsonFields, fileCount: number): LoraRecord {
  const weights = lora.has('weights') ? lora.numbers('weights', -MAX_WEIGHT, MAX_WEIGHT) : null;
  if (weights !== null && weights.length !== fileCount) {
    lora.fail('weights', `holds ${weights.length} numbers for ${fileCount} files`);
  }
  return {
    make: lora.oneOf('make', ['each', 'one']),
    rank: readRankRecord(lora.object('rank')),
    ...(lora.has('cap') ? { cap: lora.whole('cap', 1, MAX_CAP) } : {}),
    ...(lora.has('convolutions')
      ? { convolutions: readRankRecord(lora.object('convolutions')) }
      : {}),
    spelling: lora.oneOf('spelling', LORA_SPELLINGS),
    alpha: lora.oneOf('alpha', ['ratio', 'rank']),
    ...(lora.has('carried') ? { carried: lora.oneOf('carried', ['leave']) } : {}),
    ...(weights === null ? {} : { weights }),
  };
}
