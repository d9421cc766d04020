import { useStore } from 'zustand';
import { setHub } from '@/store/actions/hub';
import { hubHost } from '@/store/hub/hub-url';
import { selectHub } from '@/store/hub/selectors';
import { hubStore } from '@/store/state/hub';
import { type SourcesExtent } from '@/store/sources/selectors';
import { Button } from '@/ui/components/button';
import { HubAccess } from './hub-access';
import { HubKeptFiles } from './hub-kept-files';
import { HubRepoEntry } from './hub-repo-entry';
import { HubRepoList } from './hub-repo-list';
import styles from './hub-panel.module.css';

/**
 * Repos of the Hugging Face Hub: a list that costs nothing until it is opened. What is folded away
 * stays in the document, with what was typed into it.
 */
export function HubPanel({ extent = 'whole' }: { readonly extent?: SourcesExtent }) {
  const isFolded = extent === 'line';
  const hubUrl = useStore(hubStore, selectHub);
  const host = hubHost(hubUrl);
  return (
    <div className={styles.hub} role="group" aria-label="From the Hugging Face Hub">
      <div className={styles.entry} hidden={isFolded} data-short={extent === 'short'}>
        <HubRepoEntry host={host} isShort={extent === 'short'} />
      </div>
      {hubUrl !== null && <OtherHub host={host} />}
      <div className={styles.chosen} hidden={isFolded}>
        <HubRepoList host={host} />
      </div>
      <div className={styles.side} hidden={extent !== 'whole'}>
        <HubAccess host={host} />
      </div>
      <HubKeptFiles isFolded={extent !== 'whole'} />
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
