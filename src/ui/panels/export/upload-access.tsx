import { useId } from 'react';
import { useStore } from 'zustand';
import { WRITE_SCOPES, type WriteAccess } from '@/store/actions/write-access';
import { setAccessToken } from '@/store/actions/hub';
import { selectHub } from '@/store/hub/selectors';
import { cancelSignIn, signIn, signInStore } from '@/store/actions/sign-in';
import { browserPorts } from '@/store/actions/sign-in-ports';
import { hubStore } from '@/store/state/hub';
import { Button } from '@/ui/components/button';
import { IF_IT_FAILS } from '@/ui/panels/hub/sign-in-words';
import styles from './upload-dialog.module.css';

interface UploadAccessProps {
  readonly host: string;
  readonly access: WriteAccess;
}

/** Who uploads: a sign-in that covers it, or an access token that may write. */
export function UploadAccess({ host, access }: UploadAccessProps) {
  const state = useStore(signInStore);
  const isSetUp = browserPorts().clientId !== null;
  const note = state.status === 'waiting' ? null : state.note;
  return (
    <div className={styles.entry}>
      <p className={styles.label}>Who uploads</p>
      <div aria-live="polite" className={styles.live}>
        {state.status === 'in' && (
          <p className={styles.line}>
            Signed in as <strong>{state.name}</strong>
            {access === 'read-only' && ', for reading only so far'}.
          </p>
        )}
        {access === 'token' && (
          <p className={styles.line}>An access token is given; {host} says what it may do.</p>
        )}
        {note !== null && (
          <p className={styles.hint}>
            {note.message} {note.hint}
          </p>
        )}
      </div>
      {isSetUp && access !== 'signed-in' && <SignIn host={host} access={access} />}
      {access !== 'signed-in' && <Token host={host} />}
    </div>
  );
}

function SignIn({ host, access }: UploadAccessProps) {
  const { status } = useStore(signInStore);
  const hubUrl = useStore(hubStore, selectHub);
  if (status === 'waiting') {
    return (
      <p className={styles.line}>
        Waiting for you to answer {host} in the other window.
        <Button look="quiet" onClick={cancelSignIn}>
          Cancel sign-in
        </Button>
        <span className={styles.hint}>{IF_IT_FAILS}</span>
      </p>
    );
  }
  return (
    <div className={styles.line}>
      <Button
        onClick={() => {
          void signIn(browserPorts(), WRITE_SCOPES);
        }}
      >
        {access === 'read-only'
          ? 'Allow uploads'
          : `Sign in with ${hubUrl === null ? 'Hugging Face' : host} to upload`}
      </Button>
      <span className={styles.hint}>
        Lets this page make repos and write into those, and into no other of yours.
      </span>
    </div>
  );
}

function Token({ host }: { readonly host: string }) {
  const id = useId();
  const hintId = useId();
  return (
    <>
      <label htmlFor={id} className={styles.tokenLabel}>
        Access token that may write (kept in memory only)
      </label>
      <input
        // React would copy a value of its own keeping into the document's text.
        id={id}
        type="password"
        className={styles.field}
        aria-describedby={hintId}
        autoComplete="off"
        onChange={(event) => {
          setAccessToken(event.target.value);
        }}
      />
      <p id={hintId} className={styles.hint}>
        Sent to {host} and nowhere else, and gone when this page closes.
      </p>
    </>
  );
}
