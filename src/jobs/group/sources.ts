/** Where a group's checkpoints and data sets come from, before anything large is read. */
import { type AdapterSource } from '@/formats/lora/lora-adapter';
import { type CheckpointSource } from '@/formats/checkpoint/checkpoint-source';
import { type LoraFileSource } from '@/formats/lora-file/open-lora-file';
import { type Finding } from '@/plan/preflight';
import { type Test } from '@/jobs/scoring/tests';

export interface TaskSource<Model> {
  /** Key in results and file names. */
  readonly name: string;
  readonly title: string;
  readonly model: Model;
  /** What the task is scored on; null when the files bring no data set. */
  readonly scoredOn: Test | null;
}

interface Sources<Kind, Model> {
  readonly kind: Kind;
  readonly title: string;
  readonly base: CheckpointSource;
  readonly tasks: readonly TaskSource<Model>[];
  /** λ chosen on validation data, or null. */
  readonly lambda: number | null;
  /** What opening them found out, for the report; absent: nothing. */
  readonly findings?: readonly Finding[];
}

export type FullSources = Sources<'full', CheckpointSource>;
export type AdapterSources = Sources<'adapters', AdapterSource>;
/** Models of one base. */
export type GroupSources = FullSources | AdapterSources;

/** LoRA files by themselves: shrinking and adding them up needs no base. */
export interface LoraSources {
  readonly kind: 'loras';
  readonly title: string;
  readonly files: readonly NamedLoraFile[];
  readonly findings?: readonly Finding[];
}

export interface NamedLoraFile extends LoraFileSource {
  /** Key in results and file names. */
  readonly name: string;
}

export type AnySources = GroupSources | LoraSources;
