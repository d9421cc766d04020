import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import {
  clearKeptFiles,
  type KeptRepo,
  refreshKeptFiles,
  removeKeptRepo,
  watchRoom,
} from '@/store/actions/kept-files';
import { selectIsDiskFull, selectKept, selectKeptRepos } from '@/store/hub/selectors';
import { hubStore } from '@/store/state/hub';
import { selectStatus } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';
import { Button } from '@/ui/components/button';
import { bytes } from '@/ui/words/format';
import styles from './hub-panel.module.css';

/** What was read before is not fetched again; how much that is, and the way to be rid of it. */
export function HubKeptFiles({ isFolded }: { readonly isFolded: boolean }) {
  const kept = useStore(hubStore, selectKept);
  const status = useStore(jobStore, selectStatus);
  // Every job's end may have added to it.
  useEffect(() => {
    void refreshKeptFiles();
  }, [status]);
  useEffect(() => watchRoom(), []);
  return (
    <>
      <RoomNote />
      {kept !== null && kept.bytes > 0 && !isFolded && <Kept bytesKept={kept.bytes} />}
    </>
  );
}

/** Told where it happens to be seen or heard: the job itself goes on. */
function RoomNote() {
  const isFull = useStore(hubStore, selectIsDiskFull);
  return (
    <p className={styles.room} aria-live="polite">
      {isFull &&
        'This disk has no more room for files of the Hub: what is fetched now is used, but not kept for the next time.'}
    </p>
  );
}

function Kept({ bytesKept }: { readonly bytesKept: number }) {
  const repos = useStore(hubStore, selectKeptRepos);
  const summary = useRef<HTMLElement>(null);
  return (
    <div className={styles.kept}>
      <p className={styles.other}>
        <span>{bytes(bytesKept)} from the Hub are kept on this disk for the next time.</span>
        <Button
          look="quiet"
          onClick={() => {
            void clearKeptFiles();
          }}
        >
          Clear<span className="visually-hidden"> the files kept from the Hub</span>
        </Button>
      </p>
      <details>
        <summary ref={summary} className={styles.summary}>
          Kept by repo
        </summary>
        <p className={styles.hint}>
          Where room runs out, what was used longest ago goes first. Files that several repos share
          count for each.
        </p>
        <ul className={styles.repos} aria-label="Repos kept on this disk">
          {repos.map((one) => (
            <KeptLine
              key={one.repo}
              one={one}
              onRemove={() => {
                // The button goes with its line: the keyboard stays near.
                summary.current?.focus();
                void removeKeptRepo(one.repo);
              }}
            />
          ))}
        </ul>
      </details>
    </div>
  );
}

const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });

function KeptLine({ one, onRemove }: { readonly one: KeptRepo; readonly onRemove: () => void }) {
  const name = one.repo === '' ? 'Files of unknown repos' : one.repo;
  return (
    <li className={styles.repo}>
      <span className={styles.name}>{name}</span>
      <span className={styles.revision}>
        {bytes(one.bytes)}, used {DAY.format(one.usedAt)}
      </span>
      <Button look="quiet" onClick={onRemove}>
        Remove<span className="visually-hidden"> {name} from this disk</span>
      </Button>
    </li>
  );
}
