/** Which tensor of the base each tensor of a fine-tune is, by their names and shapes. */
import { matchStructure } from './match-structure';
import {
  findPrefix,
  furtherPrefix,
  type NamedShapes,
  type PrefixChange,
  renamed,
  SAME_NAMES,
} from './name-prefix';

/** The tensors of one checkpoint, by what their names are compared by. */
export interface NamedTensors {
  /** The checkpoint's, for messages. */
  readonly name: string;
  /** Shapes of what the names are matched by: learned numbers, not buffers. */
  readonly weights: NamedShapes;
  /** Names of everything else. */
  readonly others: readonly string[];
}

export interface NameMatch {
  /** The task's names -> the base's, for those that are there. */
  readonly baseNames: ReadonlyMap<string, string>;
  /** How they differ, what explains most of them first; `SAME_NAMES` is not listed. */
  readonly changes: readonly PrefixChange[];
  /** Names of the task that only the structure of the model explains. */
  readonly byStructure: readonly string[];
  /** The name that a tensor would have in a base that had it. */
  readonly wouldBe: (name: string) => string;
}

/** Parts of one model that are renamed each for itself: more than any has. */
const MAX_CHANGES = 16;
const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * First by the change of prefix that fits most of the names, then as they are, then by further
 * changes for what is left, last by the structure of the model.
 *
 * @throws PeruError `mismatch` when the names fit several parts of the base equally well
 */
export function matchNames(base: NamedTensors, task: NamedTensors): NameMatch {
  const first = findPrefix(
    { name: base.name, shapes: base.weights },
    { name: task.name, shapes: task.weights },
  );
  const places = new Places(base, task);
  places.move(first);
  places.move(SAME_NAMES);
  const further: PrefixChange[] = [];
  let left = places.taskLeft();
  while (left.size > 0 && further.length < MAX_CHANGES) {
    const change = furtherPrefix(places.baseLeft(), left, [...places.taken.keys()]);
    if (change === null) break;
    further.push(change);
    places.move(change);
    left = places.taskLeft();
  }
  const structure = left.size > 0 ? matchStructure(places.baseLeft(), left) : NOTHING;
  for (const [name, place] of structure) places.take(name, place);
  const changes = [first, ...further].filter((change) => change !== SAME_NAMES);
  for (const change of [...changes, SAME_NAMES]) places.moveOthers(change);
  return {
    baseNames: places.taken,
    changes,
    byStructure: [...structure.keys()],
    wouldBe: (name) => renamed(name, first),
  };
}

/** Names of a task with their places in the base. */
class Places {
  /** The task's names -> the base's. */
  readonly taken = new Map<string, string>();
  readonly #base: NamedTensors;
  readonly #task: NamedTensors;
  readonly #all: ReadonlySet<string>;
  readonly #used = new Set<string>();

  constructor(base: NamedTensors, task: NamedTensors) {
    this.#base = base;
    this.#task = task;
    this.#all = new Set([...base.weights.keys(), ...base.others]);
  }

  /** Gives names that are left the places that a change says, where these are free. */
  move(change: PrefixChange): void {
    this.#moveAll(this.#task.weights.keys(), change);
  }

  moveOthers(change: PrefixChange): void {
    this.#moveAll(this.#task.others, change);
  }

  take(name: string, place: string): void {
    this.taken.set(name, place);
    this.#used.add(place);
  }

  taskLeft(): NamedShapes {
    return new Map([...this.#task.weights].filter(([name]) => !this.taken.has(name)));
  }

  baseLeft(): NamedShapes {
    return new Map([...this.#base.weights].filter(([name]) => !this.#used.has(name)));
  }

  #moveAll(names: Iterable<string>, change: PrefixChange): void {
    for (const name of names) {
      if (this.taken.has(name) || !name.startsWith(change.from)) continue;
      const place = renamed(name, change);
      if (this.#all.has(place) && !this.#used.has(place)) this.take(name, place);
    }
  }
}
