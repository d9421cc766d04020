/**
 * The one error type of the product. Every failure a visitor can meet says what failed, with
 * which file or tensor, and what to do next; the three parts survive the trip out of the worker.
 */
export type ErrorKind =
  | 'parse' // a file breaks its format: permanent, retrying does not help
  | 'mismatch' // files are sound but do not fit together
  | 'choose-base' // names do not tell which checkpoint is the base; `choices` lists them
  | 'choose-repo' // a Hub repo does not say which of its parts is meant; `choices` name them
  | 'non-finite' // weights hold NaN or Inf; the visitor may go on
  | 'unsupported' // sound, but something Peru does not do
  | 'source' // a file could not be read or fetched
  | 'export' // a file of an export is not what was meant to be written
  | 'gpu-unavailable'
  | 'device-lost'
  | 'out-of-memory'
  | 'out-of-disk' // a file could not be written for want of room
  | 'not-saved' // a file could not be written where the visitor wanted it
  | 'shader-compile'
  | 'worker-stopped' // the worker died or never started; the next open starts another
  | 'internal';

export interface ErrorFacts {
  readonly kind: ErrorKind;
  /** What failed and with which file or tensor, one sentence. */
  readonly message: string;
  /** What the visitor can do next, one sentence. */
  readonly hint: string;
  /** Answers the page can offer, e.g. the checkpoints that may be the base. */
  readonly choices?: readonly ErrorChoice[];
  /** Name patterns that leave out what it is about, where the rest would go on without it. */
  readonly exclude?: readonly string[];
  /** Doing the same again may end well: a connection broke, a server was busy. */
  readonly mayPass?: boolean;
}

/** What the page can offer beside the hint. */
export type ErrorAnswers = Pick<ErrorFacts, 'choices' | 'exclude' | 'mayPass'>;

export interface ErrorChoice {
  readonly id: string;
  readonly name: string;
  /** For `choose-repo`: the reference, as it was given, in whose place this one can stand. */
  readonly replaces?: string;
}

export class PeruError extends Error implements ErrorFacts {
  readonly kind: ErrorKind;
  readonly hint: string;
  readonly choices: readonly ErrorChoice[];
  readonly exclude: readonly string[];
  readonly mayPass: boolean;

  constructor(
    kind: ErrorKind,
    message: string,
    hint: string,
    options: ErrorOptions & ErrorAnswers = {},
  ) {
    super(message, options);
    this.name = 'PeruError';
    this.kind = kind;
    this.hint = hint;
    this.choices = options.choices ?? [];
    this.exclude = options.exclude ?? [];
    this.mayPass = options.mayPass ?? PASSING.includes(kind);
  }
}

/** What a machine recovers from, whatever was done. */
const PASSING: readonly ErrorKind[] = ['device-lost', 'worker-stopped', 'out-of-memory'];

/** What can not be unless Peru is wrong: nothing that a visitor did, nor their files. */
export function invariantError(message: string): PeruError {
  return new PeruError('internal', message, 'Please report this fault in Peru.');
}

/** The plain facts of any thrown value, fit for structured clone. */
export function errorFacts(error: unknown): ErrorFacts {
  if (error instanceof PeruError) {
    const { kind, message: text, hint, choices, exclude, mayPass } = error;
    return { kind, message: text, hint, choices, exclude, mayPass };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'internal',
    message,
    hint: 'This is a fault in Peru: please report it with the steps that led here.',
  };
}
