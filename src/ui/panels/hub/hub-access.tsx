import { useStore } from 'zustand';
import { setAccessToken } from '@/store/actions/hub';
import { selectHub } from '@/store/hub/selectors';
import {
  cancelSignIn,
  signIn,
  type SignInState,
  signInStore,
  signOut,
} from '@/store/actions/sign-in';
import { browserPorts } from '@/store/actions/sign-in-ports';
import { hubStore } from '@/store/state/hub';
import { Button } from '@/ui/components/button';
import styles from './hub-panel.module.css';
import { IF_IT_FAILS } from './sign-in-words';

/** Two ways to repos that not everybody may read: signing in, where it is set up, and a token. */
export function HubAccess({ host }: { readonly host: string }) {
  const isSetUp = browserPorts().clientId !== null;
  return (
    <>
      {isSetUp && <SignIn host={host} />}
      <TokenEntry host={host} />
    </>
  );
}

function SignIn({ host }: { readonly host: string }) {
  const state = useStore(signInStore);
  const hubUrl = useStore(hubStore, selectHub);
  return (
    <div className={styles.signIn} aria-live="polite">
      <div className={styles.other}>
        {state.status === 'out' && (
          <Button
            onClick={() => {
              void signIn(browserPorts());
            }}
          >
            Sign in with {hubUrl === null ? 'Hugging Face' : host}
          </Button>
        )}
        {state.status === 'waiting' && (
          <>
            <span>Waiting for you to answer {host} in the other window.</span>
            <Button look="quiet" onClick={cancelSignIn}>
              Cancel sign-in
            </Button>
          </>
        )}
        {state.status === 'in' && (
          <>
            <span>
              Signed in as <strong>{state.name}</strong>.
            </span>
            <Button look="quiet" onClick={signOut}>
              Sign out
            </Button>
          </>
        )}
      </div>
      <Words state={state} />
    </div>
  );
}

function Words({ state }: { readonly state: SignInState }) {
  if (state.status !== 'waiting' && state.note !== null) {
    return (
      <p className={styles.hint}>
        {state.note.message} {state.note.hint}
      </p>
    );
  }
  if (state.status === 'waiting') return <p className={styles.hint}>{IF_IT_FAILS}</p>;
  if (state.status !== 'out') return null;
  return (
    <p className={styles.hint}>
      Lets this page read what you may read, and write nothing. The Hub’s page opens in a window of
      its own; nothing here is lost.
    </p>
  );
}

function TokenEntry({ host }: { readonly host: string }) {
  const hubUrl = useStore(hubStore, selectHub);
  return (
    <details>
      <summary className={styles.summary}>Private or gated repos: access token</summary>
      <div className={styles.entry}>
        <label htmlFor="hub-token" className={styles.label}>
          Access token (kept in memory only)
        </label>
        <input
          // React would copy a value of its own keeping into the document's text; the other Hub's
          // field is another field.
          key={host}
          id="hub-token"
          type="password"
          className={styles.field}
          aria-describedby="hub-token-hint"
          autoComplete="off"
          onChange={(event) => {
            setAccessToken(event.target.value);
          }}
        />
        <p id="hub-token-hint" className={styles.hint}>
          Sent to {host} and nowhere else, and gone when this page closes. One with read access is
          enough: the Hub makes them in{' '}
          <a
            href={`${hubUrl ?? 'https://huggingface.co'}/settings/tokens`}
            target="_blank"
            rel="noreferrer"
          >
            your settings, under Access Tokens
          </a>
          .
        </p>
      </div>
    </details>
  );
}
