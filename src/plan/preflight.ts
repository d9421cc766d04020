/**
 * What a visitor learns before anything large moves: whether the checkpoints fit together, what
 * will be merged and what will not, and what it costs in bytes and memory. From headers, small
 * files and listings alone.
 */
import { type ByteTally } from '@/core/byte-tally';
import { type MemoryPlan } from '@/tensor/engine';
import { type NamePatterns } from '@/plan/names/name-patterns';

/** What the visitor decides about a plan. */
export interface PlanChoices extends NamePatterns {
  /** Bytes of device memory the job may hold; null: what suits the adapter. */
  readonly budgetBytes: number | null;
}

export const NO_CHOICES: PlanChoices = { budgetBytes: null, include: [], exclude: [] };

export interface Preflight {
  readonly title: string;
  readonly kind: 'full' | 'adapters' | 'loras';
  /** The base, then the tasks. */
  readonly checkpoints: readonly PreflightCheckpoint[];
  /** Warnings first, then notes, then what was checked and is well. */
  readonly findings: readonly Finding[];
  readonly tensors: TensorTally;
  readonly bytes: ByteTally;
  readonly memory: MemoryReport;
  /** Nothing large will move and nothing asks for a decision: loading need not wait for a word. */
  readonly startsByItself: boolean;
}

export interface PreflightCheckpoint {
  readonly id: string;
  readonly role: 'base' | 'task';
  readonly name: string;
  readonly title: string;
  /** Where it comes from, for people: `owner/name at abc1234`, a folder, the embedded zoo. */
  readonly origin: string;
  readonly byteLength: number;
  /** Dtypes in the file, most elements first. */
  readonly dtypes: readonly string[];
  readonly parameterCount: number;
  readonly tensorCount: number;
  readonly licence: string | null;
}

export interface Finding {
  /** `warning`: look at it before you start; `note`: handled, and told how; `ok`: checked. */
  readonly level: 'warning' | 'note' | 'ok';
  readonly topic:
    | 'sources'
    | 'tensors'
    | 'names'
    | 'tied'
    | 'own-tensors'
    | 'vocabulary'
    | 'integers'
    | 'dtypes'
    | 'patterns'
    | 'architecture'
    | 'tokenizer'
    | 'licence'
    | 'memory'
    | 'disk';
  /** One short sentence. */
  readonly title: string;
  /** What Peru does about it, or what the visitor can do; empty where the title says all. */
  readonly detail: string;
  /** Tensors it is about, at most `MAX_LISTED_NAMES` of them. */
  readonly names: readonly string[];
  /** How many more there are. */
  readonly moreNames: number;
}

export const MAX_LISTED_NAMES = 100;

/** Tensors of the base by what becomes of them. */
export interface TensorTally {
  readonly mergedTensors: number;
  /** Elements of the flat space; for adapters, of the adapted weights. */
  readonly mergedElements: number;
  /** Stay as the base has them. */
  readonly untouchedTensors: number;
  /** Most tensors that one task keeps whole because they can not be merged. */
  readonly ownTensors: number;
}

export interface MemoryReport extends MemoryPlan {
  readonly budgetBytes: number;
  /** What was suggested for this adapter. */
  readonly suggestedBudgetBytes: number;
  /** Times every byte is read from disk or network cache: 1 when resident. */
  readonly readsPerByte: number;
  /** Bytes that will be kept on this disk, and the room there is; null where it is not told. */
  readonly diskBytes: number;
  readonly freeDiskBytes: number | null;
}
