/** What signing in needs of the browser: an app's id, a window, and the way back from it. */

/** A window that shows the Hub's page. */
export interface SignInWindow {
  go(url: string): void;
  close(): void;
}

export interface SignInPorts {
  /** Of the app that this page is to the Hub; null where none is set up. */
  readonly clientId: string | null;
  /** Where the Hub sends the person back to, of this page's own origin. */
  readonly redirectUrl: string;
  /** Must be called while a click is handled; null where the browser keeps windows from opening. */
  openWindow(): SignInWindow | null;
}

/** Spoken by public/oauth-callback.js too. */
export const SIGN_IN_CHANNEL = 'peru-sign-in';

const SIZE = 'popup,width=560,height=760';

/** Those of the page: the client's id stands in its head, written there when it was built. */
export function browserPorts(): SignInPorts {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="hub-client-id"]');
  return {
    clientId: meta === null || meta.content === '' ? null : meta.content,
    redirectUrl: new URL('oauth-callback.html', document.baseURI).href,
    openWindow: () => {
      const opened = window.open('', '_blank', SIZE);
      if (opened === null) return null;
      // The Hub's page has no business with this one.
      opened.opener = null;
      return {
        go: (url) => {
          opened.location.replace(url);
        },
        close: () => {
          opened.close();
        },
      };
    },
  };
}

/**
 * Waits for the answer to one sign-in, and tells the window that it was taken. An error that names no
 * sign-in is one too: a Hub that fails may not come to saying which.
 *
 * @returns the query that the Hub sent the person back with
 * @throws the signal's reason once aborted
 */
export function signInAnswer(state: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(SIGN_IN_CHANNEL);
    const stop = (): void => {
      channel.close();
      reject(signal.reason as Error);
    };
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const query = queryOf(data);
      const answer = new URLSearchParams(query ?? '');
      const named = answer.get('state');
      if (query === null || (named !== state && !(named === null && answer.has('error')))) return;
      signal.removeEventListener('abort', stop);
      channel.postMessage({ kind: 'taken', state: named });
      channel.close();
      resolve(query);
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function queryOf(message: unknown): string | null {
  if (typeof message !== 'object' || message === null) return null;
  const { kind, query } = message as { readonly kind?: unknown; readonly query?: unknown };
  return kind === 'answer' && typeof query === 'string' ? query : null;
}
