import { useId, useState } from 'react';
import { useStore } from 'zustand';
import { uploadExport } from '@/store/actions/export';
import { repoProblem, suggestedName } from '@/store/export/repo-name';
import { selectTarget } from '@/store/export/selectors';
import { type ExportFacts, exportStore } from '@/store/state/export';
import { type WriteAccess, writeAccess } from '@/store/actions/write-access';
import { hubHost } from '@/store/hub/hub-url';
import { selectHub } from '@/store/hub/selectors';
import { signInStore } from '@/store/actions/sign-in';
import { type HubState, hubStore } from '@/store/state/hub';
import { selectGroup, selectPreflight } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { Dialog } from '@/ui/components/dialog';
import { bytes, count, inText } from '@/ui/words/format';
import { Path } from './export-files';
import { UploadAccess } from './upload-access';
import styles from './upload-dialog.module.css';
import { UploadLicences } from './upload-licences';

interface UploadDialogProps {
  readonly facts: ExportFacts;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Says what would go where, as whom; nothing leaves this machine before the last button. */
export function UploadDialog({ facts, isOpen, onClose }: UploadDialogProps) {
  const host = hubHost(useStore(hubStore, selectHub));
  return (
    <Dialog title={`Upload to ${host}`} isOpen={isOpen} onClose={onClose}>
      <UploadForm facts={facts} host={host} onClose={onClose} />
    </Dialog>
  );
}

interface UploadFormProps {
  readonly facts: ExportFacts;
  readonly host: string;
  readonly onClose: () => void;
}

function UploadForm({ facts, host, onClose }: UploadFormProps) {
  const target = useStore(exportStore, selectTarget);
  const [typed, setTyped] = useState<string | null>(target?.repo ?? null);
  const [isPrivate, setIsPrivate] = useState(target?.isPrivate ?? true);
  const suggestion = useSuggestion();
  const access = useWriteAccess();
  const preflight = useStore(sourcesStore, selectPreflight);
  const repo = (typed ?? suggestion).trim();
  const missing = repo === '' ? 'Name the repo first.' : (repoProblem(repo) ?? MISSING[access]);
  const missingId = useId();
  return (
    <>
      <RepoField value={typed ?? suggestion} onChange={setTyped} />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={isPrivate}
          onChange={(event) => {
            setIsPrivate(event.target.checked);
          }}
        />
        <span>
          Private
          <span className={styles.hint}>
            Of a repo that is made now: only you can see it. One that is there already stays as it
            is.
          </span>
        </span>
      </label>
      <UploadLicences preflight={preflight} />
      <FileList facts={facts} />
      <UploadAccess host={host} access={access} />
      <div className={styles.actions}>
        <Button
          look="strong"
          unavailable={missing !== null}
          describedBy={missing === null ? undefined : missingId}
          onClick={() => {
            onClose();
            void uploadExport({ repo, isPrivate });
          }}
        >
          {confirmText(facts, missing === null ? repo : null)}
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close
        </Button>
        {missing !== null && (
          <p id={missingId} className={styles.hint}>
            {missing}
          </p>
        )}
      </div>
    </>
  );
}

function confirmText({ files }: ExportFacts, repo: string | null): string {
  return `Upload ${count(files.length)} files${repo === null ? '' : ` to ${repo}`}`;
}

const MISSING: Readonly<Record<WriteAccess, string | null>> = {
  'signed-in': null,
  token: null,
  'read-only': 'Allow uploads first, or give an access token that may write.',
  waiting: 'Answer in the other window first, or cancel the sign-in.',
  none: 'Say who uploads first.',
};

function RepoField(props: { readonly value: string; readonly onChange: (text: string) => void }) {
  const id = useId();
  const hintId = useId();
  return (
    <div className={styles.entry}>
      <label htmlFor={id} className={styles.label}>
        Repo to make, or to add to
      </label>
      <input
        id={id}
        type="text"
        className={styles.field}
        placeholder="owner/name"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-describedby={hintId}
        value={props.value}
        onChange={(event) => {
          props.onChange(event.target.value);
        }}
      />
      <p id={hintId} className={styles.hint}>
        owner/name: yours, or an organisation’s. Files there of the same name are replaced; older
        commits keep them.
      </p>
    </div>
  );
}

function FileList({ facts }: { readonly facts: ExportFacts }) {
  const headingId = useId();
  return (
    <div className={styles.entry}>
      <p id={headingId} className={styles.label}>
        {count(facts.files.length)} files, {inText(bytes(facts.bytes))} in all
      </p>
      {/* The keyboard scrolls only what it can reach: WCAG 2.1.1. */}
      <div className={styles.scroll} role="region" aria-labelledby={headingId} tabIndex={0}>
        <ul aria-label="Files to upload">
          {facts.files.map(({ path, bytes: size }) => (
            <li key={path} className={styles.file}>
              <span>
                <Path path={path} />
              </span>
              <span className={styles.bytes}>{bytes(size)}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** The owner is known once somebody has signed in. */
function useSuggestion(): string {
  const signIn = useStore(signInStore);
  const group = useStore(sourcesStore, selectGroup);
  return signIn.status === 'in' ? `${signIn.name}/${suggestedName(group?.title ?? '')}` : '';
}

function useWriteAccess(): WriteAccess {
  const signIn = useStore(signInStore);
  const accessToken = useStore(hubStore, selectToken);
  return writeAccess(signIn, accessToken);
}

function selectToken({ accessToken }: HubState): string {
  return accessToken;
}
