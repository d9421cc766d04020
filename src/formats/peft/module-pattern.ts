/**
 * Python's regular expressions over module names, as PEFT reads them from `adapter_config.json`
 * (`target_modules`, `rank_pattern`, ...). The pattern comes from a stranger's file, and a
 * backtracking engine can be made to run for years; this one maps the set of places where a part
 * may start to the set where it may end, so time is polynomial, and a budget caps it.
 *
 * Read: literals, `.`, classes, `\d \w \s \b` and their opposites, groups, alternation, greedy and
 * lazy quantifiers, anchors, lookaround, leading `(?i)` and `(?s)`. Refused: back-references,
 * possessive quantifiers, atomic and conditional groups.
 */

/** A pattern that can not be read, or takes too long; the message completes "the pattern …". */
export class ModulePatternError extends Error {
  override readonly name = 'ModulePatternError';
}

/** Longest pattern read, in characters; the longest ones in use list a few hundred modules. */
const MAX_PATTERN_LENGTH = 20_000;
const MAX_DEPTH = 60;
const MAX_REPEATS = 1000;
/** Places visited in one match before it is given up: well under a second. */
const MAX_STEPS = 2_000_000;

/** What Python's escapes stand for in text, inside the brackets of a class. */
const CHARACTER_KINDS: ReadonlyMap<string, string> = new Map([
  ['d', '\\p{Nd}'],
  ['D', '\\P{Nd}'],
  ['s', '\\s'],
  ['S', '\\S'],
  ['w', '\\p{L}\\p{N}_'],
  ['W', '^\\p{L}\\p{N}_'],
]);

interface Run {
  readonly chars: readonly string[];
  steps: number;
}

/** Ends of a part of the pattern, for each of the places where it may start. */
type Part = (run: Run, starts: ReadonlySet<number>) => ReadonlySet<number>;

/**
 * Compiles a pattern for `re.fullmatch`.
 *
 * @returns whether the whole of a name matches; throws ModulePatternError past the step budget
 * @throws ModulePatternError for what is not Python syntax or is not read here
 */
export function compileFullMatch(pattern: string): (name: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new ModulePatternError(`is longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  const part = new Parser(pattern).parse();
  return (name) => {
    const run: Run = { chars: Array.from(name), steps: 0 };
    return part(run, new Set([0])).has(run.chars.length);
  };
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;
  #flags = 'u';

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  parse(): Part {
    this.#leadingFlags();
    const part = this.#alternation();
    if (this.#at < this.#chars.length) this.#fail('has a ")" without its "("');
    return part;
  }

  #leadingFlags(): void {
    const found = /^\(\?([a-zA-Z]+)\)/.exec(this.#chars.slice(0, 12).join(''));
    if (found === null) return;
    for (const flag of found[1]!) {
      if (flag === 'i' || flag === 's') this.#flags += flag;
      else if (flag !== 'a' && flag !== 'u') this.#fail(`uses the flag "${flag}"`);
    }
    this.#at = found[0].length;
  }

  #alternation(): Part {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail(`nests more than ${MAX_DEPTH} groups`);
    const branches = [this.#sequence()];
    while (this.#skip('|')) branches.push(this.#sequence());
    this.#depth -= 1;
    return branches.length === 1 ? branches[0]! : anyOf(branches);
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#chars.length && !this.#sees('|') && !this.#sees(')')) {
      parts.push(this.#quantified());
    }
    return (run, starts) => parts.reduce((ends, part) => part(run, ends), starts);
  }

  #quantified(): Part {
    const part = this.#atom();
    const bounds = this.#quantifier();
    if (bounds === null) return part;
    if (this.#sees('+')) this.#fail('has a possessive quantifier');
    this.#skip('?'); // lazy: finds the same names
    if (this.#quantifier() !== null) this.#fail('repeats a repetition');
    return repeat(part, bounds);
  }

  #quantifier(): Bounds | null {
    if (this.#skip('*')) return { least: 0, most: Infinity };
    if (this.#skip('+')) return { least: 1, most: Infinity };
    if (this.#skip('?')) return { least: 0, most: 1 };
    if (!this.#sees('{')) return null;
    const text = this.#chars.slice(this.#at, this.#at + 20).join('');
    const found = /^\{(\d*)(,?)(\d*)\}/.exec(text);
    // As in Python, a brace that opens no count stands for itself: `atom` takes it.
    if (found === null || found[0] === '{}') return null;
    this.#at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === '' ? least : found[3] === '' ? Infinity : Number(found[3]);
    if (least > MAX_REPEATS || (most !== Infinity && most > MAX_REPEATS)) {
      this.#fail(`repeats a part more than ${MAX_REPEATS} times`);
    }
    if (most < least) this.#fail('has a count whose end is before its start');
    return { least, most };
  }

  #atom(): Part {
    const char = this.#next();
    if (char === '(') return this.#group();
    if (char === '[') return this.#characterClass();
    if (char === '\\') return this.#escape();
    if (char === '^') return at((_, place) => place === 0);
    if (char === '$') return at((run, place) => place === run.chars.length);
    if (char === '.') return oneCharacter(new RegExp('^.$', this.#flags));
    if (char === '*' || char === '+' || char === '?') this.#fail(`has a "${char}" after nothing`);
    return this.#literal(char);
  }

  #literal(char: string): Part {
    return oneCharacter(new RegExp(`^${escapeLiteral(char)}$`, this.#flags));
  }

  #group(): Part {
    if (!this.#skip('?')) return this.#closed(this.#alternation());
    if (this.#skip(':')) return this.#closed(this.#alternation());
    if (this.#skip('=')) return lookahead(this.#closed(this.#alternation()), true);
    if (this.#skip('!')) return lookahead(this.#closed(this.#alternation()), false);
    if (this.#skip('<')) {
      const wanted = this.#skip('=');
      if (!wanted && !this.#skip('!')) this.#fail('has a group that Python does not know');
      return lookbehind(this.#closed(this.#alternation()), wanted);
    }
    if (this.#skip('P') && this.#skip('<')) {
      while (!this.#skip('>')) this.#next();
      return this.#closed(this.#alternation());
    }
    return this.#fail('has a kind of group that Peru does not read');
  }

  #closed(part: Part): Part {
    if (!this.#skip(')')) this.#fail('has a "(" without its ")"');
    return part;
  }

  #escape(): Part {
    const char = this.#next();
    const kind = CHARACTER_KINDS.get(char);
    if (kind !== undefined) return oneCharacter(new RegExp(`^[${kind}]$`, this.#flags));
    if (char === 'b') return at(isWordEdge);
    if (char === 'B') return at((run, place) => !isWordEdge(run, place));
    if (char === 'A') return at((_, place) => place === 0);
    if (char === 'Z') return at((run, place) => place === run.chars.length);
    if (/[0-9A-Za-z]/.test(char)) this.#fail(`has the escape "\\${char}"`);
    return this.#literal(char);
  }

  #characterClass(): Part {
    let body = this.#skip('^') ? '^' : '';
    // A bracket that comes first stands for itself.
    if (this.#skip(']')) body += '\\]';
    for (let char = this.#next(); char !== ']'; char = this.#next()) {
      if (char !== '\\') body += /[[^\\]/.test(char) ? `\\${char}` : char;
      else body += this.#classEscape();
    }
    try {
      return oneCharacter(new RegExp(`^[${body}]$`, this.#flags));
    } catch {
      return this.#fail(`has the class [${body}]`);
    }
  }

  #classEscape(): string {
    const char = this.#next();
    const kind = CHARACTER_KINDS.get(char);
    if (kind !== undefined && !kind.startsWith('^')) return kind;
    if (/[0-9A-Za-z]/.test(char)) this.#fail(`has the escape "\\${char}" in a class`);
    return /[\]\\^[-]/.test(char) ? `\\${char}` : char;
  }

  #sees(char: string): boolean {
    return this.#chars[this.#at] === char;
  }

  #skip(char: string): boolean {
    if (!this.#sees(char)) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) this.#fail('ends in the middle of a part');
    this.#at += 1;
    return char;
  }

  #fail(what: string): never {
    throw new ModulePatternError(what);
  }
}

interface Bounds {
  readonly least: number;
  readonly most: number;
}

function spend(run: Run, steps: number): void {
  run.steps += steps + 1;
  if (run.steps > MAX_STEPS) throw new ModulePatternError('takes too long to match');
}

function anyOf(branches: readonly Part[]): Part {
  return (run, starts) => new Set(branches.flatMap((branch) => [...branch(run, starts)]));
}

/** Every end after `least` to `most` rounds; stops once a round reaches no new place. */
function repeat(part: Part, { least, most }: Bounds): Part {
  return (run, starts) => {
    let current = starts;
    for (let i = 0; i < least; i++) {
      spend(run, current.size);
      current = part(run, current);
    }
    const reached = new Set(current);
    for (let i = least; i < most && current.size > 0; i++) {
      spend(run, current.size);
      current = new Set([...part(run, current)].filter((place) => !reached.has(place)));
      for (const place of current) reached.add(place);
    }
    return reached;
  };
}

function oneCharacter(test: RegExp): Part {
  return (run, starts) => {
    spend(run, starts.size);
    const ends = new Set<number>();
    for (const place of starts) {
      const char = run.chars[place];
      if (char !== undefined && test.test(char)) ends.add(place + 1);
    }
    return ends;
  };
}

function at(holds: (run: Run, place: number) => boolean): Part {
  return (run, starts) => {
    spend(run, starts.size);
    return new Set([...starts].filter((place) => holds(run, place)));
  };
}

function lookahead(part: Part, wanted: boolean): Part {
  return at((run, place) => part(run, new Set([place])).size > 0 === wanted);
}

function lookbehind(part: Part, wanted: boolean): Part {
  return at((run, place) => {
    for (let start = place; start >= 0; start--) {
      if (part(run, new Set([start])).has(place)) return wanted;
    }
    return !wanted;
  });
}

function isWordEdge({ chars }: Run, place: number): boolean {
  const isWord = (char: string | undefined): boolean =>
    char !== undefined && /^[\p{L}\p{N}_]$/u.test(char);
  return isWord(chars[place - 1]) !== isWord(chars[place]);
}

function escapeLiteral(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}
