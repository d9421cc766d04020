import { useStore } from 'zustand';
import { setHub } from '@/store/hub/actions';
import { hubHost } from '@/store/hub/hub-url';
import { selectHub } from '@/store/hub/selectors';
import { hubStore } from '@/store/hub/state';
import { Button } from '@/ui/components/button';
import { HubAccess } from './hub-access';
import { HubKeptFiles } from './hub-kept-files';
import { HubRepoEntry } from './hub-repo-entry';
import { HubRepoList } from './hub-repo-list';
import styles from './hub-panel.module.css';

/** Repos of the Hugging Face Hub: a list that costs nothing until it is opened. */
export function HubPanel() {
  const hubUrl = useStore(hubStore, selectHub);
  const host = hubHost(hubUrl);
  return (
    <div className={styles.hub} role="group" aria-label="From the Hugging Face Hub">
      <HubRepoEntry host={host} />
      <div className={styles.side}>
        {hubUrl !== null && <OtherHub host={host} />}
        <HubAccess host={host} />
      </div>
      <HubRepoList host={host} />
      <HubKeptFiles />
    </div>
  );
}

interface HostProps {
  readonly host: string;
}

/** A link chose the Hub: the visitor shall see which, and have a way back. */
function OtherHub({ host }: HostProps) {
  return (
    <p className={styles.other}>
      <span>
        The link that you followed reads repos from <strong>{host}</strong>.
      </span>
      <Button
        look="quiet"
        onClick={() => {
          setHub(null);
        }}
      >
        Use huggingface.co
      </Button>
    </p>
  );
}
