import { useStore } from 'zustand';
import { paperAddress, PERU_PAPER } from '@/methods/paper';
import { selectExpectsNumbers, selectKind, selectShowsReport } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import styles from './app.module.css';
import { DropTarget } from './components/drop-target';
import { AccuracyPanel } from '@/ui/panels/results/accuracy-panel';
import { AlertPanel } from './panels/alert-panel';
import { CheckpointsPanel } from '@/ui/panels/sources/checkpoints-panel';
import { ExportPanel } from '@/ui/panels/export/export-panel';
import { HeaderPanel } from './panels/header-panel';
import { LoraFilesPanel, LoraSpectra, LoraStory, OverlapPanel } from '@/ui/panels/loras/lazy-parts';
import { PlanPanel } from '@/ui/panels/results/plan-panel';
import { PreflightPanel } from '@/ui/panels/preflight/preflight-panel';
import { RecipePanel } from '@/ui/panels/recipe/recipe-panel';
import { RunBar } from './panels/run-bar';
import { SourcesPanel } from '@/ui/panels/sources/sources-panel';
import { SpectraPanel } from '@/ui/panels/results/spectra-panel';
import { StoragePanel } from '@/ui/panels/results/storage-panel';
import { StoryPanel } from '@/ui/panels/story/story-panel';
import { TradeOffPanel } from '@/ui/panels/results/trade-off-panel';

/** The page: what merging costs on top, the controls beside it, the evidence below. */
export function App() {
  // Where no numbers are on their way, no place is held for them.
  const expectsNumbers = useStore(sourcesStore, selectExpectsNumbers);
  const showsReport = useStore(sourcesStore, selectShowsReport);
  const isLoras = useStore(sourcesStore, selectKind) === 'loras';
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
            {expectsNumbers && (isLoras ? <LoraStory /> : <StoryPanel />)}
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
            <a href={paperAddress(PERU_PAPER)} target="_blank" rel="noreferrer">
              {PERU_PAPER.title}
            </a>
            , arXiv {PERU_PAPER.arxiv}.
          </p>
        </footer>
      </div>
    </DropTarget>
  );
}

function Evidence() {
  const isLoras = useStore(sourcesStore, selectKind) === 'loras';
  return (
    <>
      {isLoras && <LoraFilesPanel />}
      <AccuracyPanel />
      {isLoras ? <LoraSpectra /> : <SpectraPanel />}
      {isLoras && <OverlapPanel />}
      <div className={styles.pair}>
        <TradeOffPanel />
        <StoragePanel />
      </div>
      <ExportPanel />
    </>
  );
}
