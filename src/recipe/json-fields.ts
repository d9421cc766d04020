/** Reads fields of parsed JSON that may hold anything, and says which one is wrong. */
import { PeruError } from '@/core/errors';

type Json = Readonly<Record<string, unknown>>;

/** Longest text a field may hold, in UTF-16 units. */
const MAX_TEXT = 4096;
/** Most entries a list may have. */
const MAX_ITEMS = 10_000;

export class JsonFields {
  readonly #json: Json;
  readonly #file: string;
  readonly #path: string;

  /**
   * @param path of the object inside the file, for messages; empty at the top
   * @throws PeruError `parse` where the value is no object
   */
  constructor(json: unknown, file: string, path = '') {
    this.#file = file;
    this.#path = path;
    if (!isRecord(json)) this.fail('', 'is not an object');
    this.#json = json;
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  text(key: string, pattern?: { readonly test: RegExp; readonly is: string }): string {
    const value = this.#get(key);
    if (typeof value !== 'string') return this.fail(key, this.#absence(key, 'a text'));
    if (value.length > MAX_TEXT) return this.fail(key, `is longer than ${MAX_TEXT} characters`);
    if (pattern !== undefined && !pattern.test.test(value)) {
      return this.fail(key, `is ${JSON.stringify(value)}, not ${pattern.is}`);
    }
    return value;
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T {
    const value = this.text(key);
    const found = choices.find((choice) => choice === value);
    return found ?? this.fail(key, `is ${JSON.stringify(value)}, none of ${choices.join(', ')}`);
  }

  number(key: string, min: number, max: number): number {
    const value = this.#get(key);
    if (typeof value !== 'number') return this.fail(key, this.#absence(key, 'a number'));
    if (!(value >= min && value <= max)) {
      return this.fail(key, `is ${value}, outside ${min} to ${max}`);
    }
    return value;
  }

  whole(key: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.number(key, min, max);
    return Number.isInteger(value) ? value : this.fail(key, `is ${value}, not a whole number`);
  }

  object(key: string): JsonFields {
    if (!this.has(key)) this.fail(key, 'is missing');
    return new JsonFields(this.#get(key), this.#file, this.#at(key));
  }

  objects(key: string): JsonFields[] {
    return this.#list(key).map(
      (item, index) => new JsonFields(item, this.#file, `${this.#at(key)}[${index}]`),
    );
  }

  numbers(key: string, min: number, max: number): number[] {
    return this.#list(key).map((item) => {
      if (typeof item === 'number' && item >= min && item <= max) return item;
      return this.fail(key, `holds something else than numbers from ${min} to ${max}`);
    });
  }

  texts(key: string): string[] {
    return this.#list(key).map((item) => {
      if (typeof item === 'string' && item.length <= MAX_TEXT) return item;
      return this.fail(key, 'holds something else than short texts');
    });
  }

  fail(key: string, what: string): never {
    const field = key === '' ? this.#path : this.#at(key);
    throw new PeruError(
      'parse',
      field === '' ? `${this.#file} ${what}.` : `In ${this.#file}, "${field}" ${what}.`,
      'Use a recipe as Peru wrote it: recipe.json of an export, unchanged.',
    );
  }

  #list(key: string): readonly unknown[] {
    const value = this.#get(key);
    if (!Array.isArray(value)) return this.fail(key, this.#absence(key, 'a list'));
    if (value.length > MAX_ITEMS) return this.fail(key, `has more than ${MAX_ITEMS} entries`);
    return value;
  }

  #absence(key: string, wanted: string): string {
    return this.has(key) ? `is not ${wanted}` : 'is missing';
  }

  #get(key: string): unknown {
    return this.#json[key];
  }

  #at(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }
}

/** Whether a value is an object with keys. */
export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
