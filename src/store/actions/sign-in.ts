/**
 * Who is signed in with the Hub. The token lives in `hubStore` only, as a pasted one does; this
 * knows whose it is, and forgets that with it.
 */
import { createStore } from 'zustand/vanilla';
import { errorFacts, PeruError } from '@/core/errors';
import { beginHubSignIn, READ_SCOPES, type SignedIn } from '@/hub/search/hub-find';
import { hubHost } from '@/store/hub/hub-url';
import { signInAnswer, type SignInPorts } from './sign-in-ports';
import { hubStore } from '@/store/state/hub';

export interface SignInNote {
  readonly message: string;
  readonly hint: string;
}

/** `note`: how the last try failed; null where none did. */
export type SignInState =
  | { readonly status: 'out'; readonly note: SignInNote | null }
  /** The Hub's page is open in another window. */
  | { readonly status: 'waiting' }
  | {
      readonly status: 'in';
      readonly name: string;
      readonly scopes: readonly string[];
      readonly note: SignInNote | null;
    };

export const signInStore = createStore<SignInState>(() => ({ status: 'out', note: null }));

/** A window that nobody answers in is given up. */
const PATIENCE_MS = 15 * 60 * 1000;

/** Whose token it is, and until when; null while nobody is signed in. */
let session: (SignedIn & { readonly stopTimer: () => void }) | null = null;
let current = new AbortController();

// Another token was pasted, or another Hub chosen: who signed in before is not asked as any more.
hubStore.subscribe(({ accessToken, hubUrl }, before) => {
  const isOther = session !== null && accessToken !== session.accessToken;
  if (isOther || hubUrl !== before.hubUrl) end(null);
});

/**
 * Opens the Hub's page in a window and waits for the answer. Must be called while a click is
 * handled. What the visitor has typed or opened stays as it is; who is signed in already stays so
 * when the try fails.
 *
 * @param scopes asked for; more than reading only where it is needed
 */
export async function signIn(
  ports: SignInPorts,
  scopes: readonly string[] = READ_SCOPES,
): Promise<void> {
  const { hubUrl } = hubStore.getState();
  const { clientId, redirectUrl } = ports;
  if (clientId === null) return;
  current.abort();
  const own = (current = new AbortController());
  const window = ports.openWindow();
  if (window === null) {
    rest(BLOCKED);
    return;
  }
  signInStore.setState({ status: 'waiting' }, true);
  const late = setTimeout(() => {
    own.abort(tooLate());
  }, PATIENCE_MS);
  try {
    const request = { hubUrl: hubUrl ?? undefined, clientId, redirectUrl, scopes };
    const pending = await beginHubSignIn(request, own.signal);
    own.signal.throwIfAborted();
    const answered = signInAnswer(pending.state, own.signal);
    window.go(pending.url);
    const signedIn = await pending.finish(await answered, own.signal);
    own.signal.throwIfAborted();
    begin(signedIn);
  } catch (error) {
    window.close();
    // Whoever ended it otherwise has said what holds now.
    if (current === own) rest(errorFacts(error));
  } finally {
    clearTimeout(late);
  }
}

/** Gives the try up; its window is closed. */
export function cancelSignIn(): void {
  abandon();
  rest(null);
}

/** Forgets the token and whose it was. */
export function signOut(): void {
  end(null);
}

function begin(signedIn: SignedIn): void {
  const { accessToken, expiresAt } = signedIn;
  session?.stopTimer();
  const left = expiresAt === null ? LONGEST_TIMER_MS : expiresAt - Date.now();
  const timer = setTimeout(
    () => {
      end(expired());
    },
    Math.min(left, LONGEST_TIMER_MS),
  );
  session = {
    ...signedIn,
    stopTimer: () => {
      clearTimeout(timer);
    },
  };
  hubStore.setState({ accessToken });
  rest(null);
}

/** What a timer can count to: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function end(note: SignInNote | null): void {
  abandon();
  const past = session;
  session = null;
  past?.stopTimer();
  rest(note);
  const isHeld = past !== null && hubStore.getState().accessToken === past.accessToken;
  if (isHeld) hubStore.setState({ accessToken: '' });
}

/** The try under way is not waited for any more. */
function abandon(): void {
  const past = current;
  current = new AbortController();
  past.abort();
}

function rest(note: SignInNote | null): void {
  const next: SignInState =
    session === null
      ? { status: 'out', note }
      : { status: 'in', name: session.name, scopes: session.scopes, note };
  signInStore.setState(next, true);
}

const BLOCKED: SignInNote = {
  message: 'The browser kept the Hub’s page from opening.',
  hint: 'Allow this page to open windows, or paste an access token instead.',
};

function tooLate(): PeruError {
  return new PeruError(
    'source',
    'The sign-in was not finished within 15 minutes.',
    'Sign in again, or paste an access token instead.',
  );
}

function expired(): SignInNote {
  return {
    message: `Your sign-in with ${hubHost(hubStore.getState().hubUrl)} has expired.`,
    hint: 'Sign in again to read private and gated repos.',
  };
}
