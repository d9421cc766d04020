/**
 * The one error type of the product. Every failure a visitor can meet says what failed, with
 * which file or tensor, and what to do next; the three parts survive the trip out of the worker.
 */
export type ErrorKind =
  | 'parse' // a file breaks its format: permanent, retrying does not help
  | 'mismatch' // files are sound but do not fit together
  | 'non-finite' // weights hold NaN or Inf; the visitor may go on
  | 'unsupported' // sound, but something Peru does not do
  | 'source' // a file could not be read or fetched
  | 'gpu-unavailable'
  | 'device-lost'
  | 'out-of-memory'
  | 'shader-compile'
  | 'internal';

export interface ErrorFacts {
  readonly kind: ErrorKind;
  /** What failed and with which file or tensor, one sentence. */
  readonly message: string;
  /** What the visitor can do next, one sentence. */
  readonly hint: string;
}

export class PeruError extends Error implements ErrorFacts {
  readonly kind: ErrorKind;
  readonly hint: string;

  constructor(kind: ErrorKind, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PeruError';
    this.kind = kind;
    this.hint = hint;
  }
}

/** The plain facts of any thrown value, fit for structured clone. */
export function errorFacts(error: unknown): ErrorFacts {
  if (error instanceof PeruError) {
    return { kind: error.kind, message: error.message, hint: error.hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'internal',
    message,
    hint: 'This is a fault in Peru: please report it with the steps that led here.',
  };
}
