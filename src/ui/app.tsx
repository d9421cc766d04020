import { useStore } from 'zustand';
import { selectExpectsNumbers, selectShowsReport } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import styles from './app.module.css';
import { DropTarget } from './components/drop-target';
import { AccuracyPanel } from './panels/accuracy-panel';
import { AlertPanel } from './panels/alert-panel';
import { CheckpointsPanel } from './panels/checkpoints-panel';
import { ExportPanel } from './panels/export-panel';
import { HeaderPanel } from './panels/header-panel';
import { PlanPanel } from './panels/plan-panel';
import { PreflightPanel } from './panels/preflight-panel';
import { RecipePanel } from './panels/recipe-panel';
import { RunBar } from './panels/run-bar';
import { SourcesPanel } from './panels/sources-panel';
import { SpectraPanel } from './panels/spectra-panel';
import { StoragePanel } from './panels/storage-panel';
import { StoryPanel } from './panels/story-panel';
import { TradeOffPanel } from './panels/trade-off-panel';

/** The page: what merging costs on top, the controls beside it, the evidence below. */
export function App() {
  // Where no numbers are on their way, no place is held for them.
  const expectsNumbers = useStore(sourcesStore, selectExpectsNumbers);
  const showsReport = useStore(sourcesStore, selectShowsReport);
  return (
    <DropTarget>
      <div className={styles.page}>
        <HeaderPanel />
        <main className={styles.main}>
          {/* What failed comes before the sources that may have to change. */}
          <div className={styles.top}>
            <AlertPanel />
            <SourcesPanel />
          </div>
          <div className={styles.bar}>
            <RunBar />
          </div>
          <div className={styles.story}>
            {showsReport && <PreflightPanel />}
            {expectsNumbers && <StoryPanel />}
          </div>
          <div className={styles.controls}>
            <div className={styles.console}>
              <RecipePanel />
            </div>
          </div>
          <div className={styles.evidence}>
            {expectsNumbers && <Evidence />}
            {!showsReport && <CheckpointsPanel />}
            {expectsNumbers && <PlanPanel />}
          </div>
        </main>
        <footer className={styles.footer}>
          <p>
            Everything is computed in this tab: no weight, image, text or number leaves your
            machine, unless you upload an export yourself.
          </p>
          <p>
            PERU-FFT and PERU-LoRA are the methods of{' '}
            <a href="https://arxiv.org/abs/2310.01886" target="_blank" rel="noreferrer">
              Effective and Parameter-Efficient Reusing Fine-Tuned Models
            </a>
            , arXiv 2310.01886.
          </p>
        </footer>
      </div>
    </DropTarget>
  );
}

function Evidence() {
  return (
    <>
      <AccuracyPanel />
      <SpectraPanel />
      <div className={styles.pair}>
        <TradeOffPanel />
        <StoragePanel />
      </div>
      <ExportPanel />
    </>
  );
}
