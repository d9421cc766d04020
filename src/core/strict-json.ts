/**
 * A strict JSON reader for hostile headers (RFC 8259). `JSON.parse` keeps the last of two equal
 * keys and turns `__proto__` into a prototype, so a header could mean one thing here and another
 * elsewhere: here objects are Maps, a repeated key is an error, depth is capped, and numbers are
 * whole, the only kind a safetensors header has.
 */

export type StrictJson =
  string | number | boolean | null | readonly StrictJson[] | ReadonlyMap<string, StrictJson>;

/** What is wrong and where; `path` holds the keys of the objects around the fault. */
export class StrictJsonError extends Error {
  readonly path: readonly string[];

  constructor(message: string, path: readonly string[]) {
    super(message);
    this.name = 'StrictJsonError';
    this.path = path;
  }
}

const WHOLE_NUMBER = /-?(?:0|[1-9][0-9]*)/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const HEX4 = /[0-9a-fA-F]{4}/y;
const WHITESPACE = /[ \t\n\r]*/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/**
 * Parses one JSON text, with nothing but white space after it.
 *
 * @param maxDepth most arrays and objects inside one another
 * @throws StrictJsonError at the first fault
 */
export function parseStrictJson(text: string, maxDepth: number): StrictJson {
  return new Scanner(text, maxDepth).document();
}

class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #path: string[] = [];
  #depth = 0;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): StrictJson {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('something follows the closing brace');
    return value;
  }

  #value(): StrictJson {
    const char = this.#text[this.#at];
    if (char === '{') return this.#nested(() => this.#object());
    if (char === '[') return this.#nested(() => this.#array());
    if (char === '"') return this.#string();
    if (this.#word('true')) return true;
    if (this.#word('false')) return false;
    if (this.#word('null')) return null;
    return this.#number();
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) {
      this.#fail(`it nests more than ${this.#maxDepth} levels deep`);
    }
    this.#at += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): ReadonlyMap<string, StrictJson> {
    const entries = new Map<string, StrictJson>();
    this.#space();
    if (this.#skip('}')) return entries;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('a key in double quotes is missing');
      const key = this.#string();
      if (entries.has(key)) this.#fail(`the key "${key}" stands twice`);
      this.#path.push(key);
      this.#space();
      if (!this.#skip(':')) this.#fail('a colon is missing after a key');
      this.#space();
      entries.set(key, this.#value());
      this.#path.pop();
      this.#space();
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail('a comma or closing brace is missing');
    return entries;
  }

  #array(): readonly StrictJson[] {
    const items: StrictJson[] = [];
    this.#space();
    if (this.#skip(']')) return items;
    do {
      this.#space();
      items.push(this.#value());
      this.#space();
    } while (this.#skip(','));
    if (!this.#skip(']')) this.#fail('a comma or closing bracket is missing');
    return items;
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#plainText();
      if (this.#skip('"')) break;
      if (!this.#skip('\\')) {
        this.#fail(this.#at < this.#text.length ? 'a control character' : 'a string without end');
      }
      value += this.#escape();
    }
    // Two names that differ only in a lone surrogate would be one name once written as UTF-8.
    if (LONE_SURROGATE.test(value)) this.#fail('half a surrogate pair in a string');
    return value;
  }

  /** Characters up to the next quote, backslash, control character or the end. */
  #plainText(): string {
    const start = this.#at;
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE || code === BACKSLASH || code < FIRST_PRINTABLE) break;
      this.#at += 1;
    }
    return this.#text.slice(start, this.#at);
  }

  #escape(): string {
    if (this.#skip('u')) {
      const hex = this.#match(HEX4);
      if (hex === null) this.#fail('a bad \\u escape');
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const char = ESCAPES.get(this.#text[this.#at] ?? '');
    if (char === undefined) this.#fail('a bad escape in a string');
    this.#at += 1;
    return char;
  }

  #number(): number {
    const digits = this.#match(WHOLE_NUMBER);
    if (digits === null) this.#fail('a value is missing or not JSON');
    if (/[.eE]/.test(this.#text[this.#at] ?? '')) this.#fail('a number that is not whole');
    return Number(digits);
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #space(): void {
    this.#match(WHITESPACE);
  }

  #skip(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #fail(what: string): never {
    throw new StrictJsonError(`${what} (character ${this.#at})`, [...this.#path]);
  }
}
