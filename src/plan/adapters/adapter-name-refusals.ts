/** What an adapter gets told whose names do not match its base's. */
import { PeruError } from '@/core/errors';
import { listNames } from '@/core/list-names';
import { type NameChange, shortened } from '@/plan/names/name-changes';
import { type Reading } from './prefix-readings';

interface Told {
  readonly adapter: string;
  readonly base: string;
  /** Names of the tensors that the adapter changes, and those of them that are not found. */
  readonly paths: readonly string[];
  readonly missing: readonly string[];
  readonly baseNames: readonly string[];
}

/** Layers that share their weight with an embedding in many models, which store it once. */
const OFTEN_TIED = /(?:^|\.)(?:lm_head|embed_tokens|wte|embed_out|output_projection|decoder)$/;

export function otherBase(told: Told): PeruError {
  return new PeruError(
    'mismatch',
    `${told.adapter} is an adapter for another base: ${both(told)}.`,
    'Add the base that the adapter was trained on; its adapter_config.json names it under base_model_name_or_path.',
  );
}

/** The base's blocks would fit, but their layers have other names. */
export function otherVersion(told: Told): PeruError {
  return new PeruError(
    'mismatch',
    `${told.adapter} calls its layers otherwise than ${told.base} does, and which is which can not be told: ${both(told)}. transformers 5 gives the layers of some models new names in memory, and adapters made with it have these.`,
    'Save the base under those names, with save_pretrained(folder, save_original_format=False) in transformers 5, and add that; or merge the adapter there (merge_and_unload in PEFT) and add the full model.',
  );
}

export function someMissing({ adapter, base, paths, missing }: Omit<Told, 'baseNames'>): PeruError {
  const tied = missing.every((path) => OFTEN_TIED.test(layerOf(path)));
  const why = tied
    ? ' In such a base these layers are tied to another and have no tensor of their own'
    : ` It has ${paths.length - missing.length} of the ${paths.length} that the adapter changes`;
  return new PeruError(
    'mismatch',
    `${base} lacks tensors that ${adapter} changes: ${listNames(missing)}.${why}.`,
    tied
      ? 'Train the adapter without these layers, or add a base that was saved with them untied.'
      : 'Add the base that the adapter was trained on, saved with the same model class.',
  );
}

export function ambiguous(
  { adapter, base }: { readonly adapter: string; readonly base: string },
  readings: readonly Reading[],
): PeruError {
  const all = readings.map((reading) => new Set(reading.map(place)));
  const differing = new Set(
    all.flatMap((places) => [...places].filter((one) => !all.every((other) => other.has(one)))),
  );
  return new PeruError(
    'mismatch',
    `${adapter} fits several parts of ${base}: its names match behind ${listNames([...differing])}.`,
    'Save the adapter from the whole model, so that its names say which part it changes.',
  );
}

function place(change: NameChange): string {
  const { from, to } = shortened(change);
  if (to !== '') return to;
  return from === '' ? '(nothing)' : `${from} (left out)`;
}

export function fusedAttention(adapter: string, path: string): PeruError {
  return new PeruError(
    'unsupported',
    `${adapter} adapts "${layerOf(path)}", an nn.MultiheadAttention, whose projections are fused into one tensor; Peru adapts linear, convolution and embedding layers.`,
    'Merge the adapter into its base with merge_and_unload in PEFT and add the full model.',
  );
}

/** A tensor's layer: its name without the last part. */
export function layerOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function both({ paths, base, baseNames }: Told): string {
  return `it changes ${listNames(paths)}; ${base} has ${listNames(baseNames)}`;
}
