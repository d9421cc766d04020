import styles from './app.module.css';
import { DropTarget } from './components/drop-target';
import { AccuracyPanel } from './panels/accuracy-panel';
import { AlertPanel } from './panels/alert-panel';
import { CheckpointsPanel } from './panels/checkpoints-panel';
import { HeaderPanel } from './panels/header-panel';
import { RecipePanel } from './panels/recipe-panel';
import { RunBar } from './panels/run-bar';
import { SourcesPanel } from './panels/sources-panel';
import { StoragePanel } from './panels/storage-panel';
import { StoryPanel } from './panels/story-panel';
import { TradeOffPanel } from './panels/trade-off-panel';

/** The page: what merging costs on top, the controls beside it, the evidence below. */
export function App() {
  return (
    <DropTarget>
      <div className={styles.page}>
        <HeaderPanel />
        <main className={styles.main}>
          <SourcesPanel />
          <div className={styles.story}>
            <RunBar />
            <AlertPanel />
            <StoryPanel />
          </div>
          <div className={styles.controls}>
            <div className={styles.console}>
              <RecipePanel />
            </div>
          </div>
          <div className={styles.evidence}>
            <AccuracyPanel />
            <div className={styles.pair}>
              <TradeOffPanel />
              <StoragePanel />
            </div>
            <CheckpointsPanel />
          </div>
        </main>
        <footer className={styles.footer}>
          <p>Everything is computed in this tab: no weight, image or number leaves your machine.</p>
        </footer>
      </div>
    </DropTarget>
  );
}
