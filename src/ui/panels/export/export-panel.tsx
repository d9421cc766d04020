import { useId, useState } from 'react';
import { useStore } from 'zustand';
import { exportFiles, saveExport, zipExport } from '@/store/actions/export';
import { canTakeAlong, type ExportReadiness, exportReadiness } from '@/store/export/readiness';
import { selectMade } from '@/store/export/selectors';
import { exportStore } from '@/store/state/export';
import { raiseAlert } from '@/store/actions/job';
import { selectJob } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';
import { sameRecipe } from '@/store/recipe/edits';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectComplete } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { selectKind, selectWeights } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { Section } from '@/ui/components/section';
import { canSaveToFolder, pickFolderToSave } from '@/ui/files/pick-folder';
import { saveFile } from '@/ui/files/save-file';
import { ExportFacts } from './export-facts';
import { ExportFiles } from './export-files';
import styles from './export-panel.module.css';
import { UploadDialog } from './upload-dialog';

/** The results as files: made, listed with their hashes, and taken along. */
export function ExportPanel() {
  const kind = useStore(sourcesStore, selectKind);
  const made = useStore(exportStore, selectMade);
  return (
    <Section title="Export" lead={LEADS[kind]} className={styles.panel}>
      <Actions />
      {made !== null && (
        <>
          <ExportFacts made={made} kind={kind} />
          <ExportFiles files={made.facts.files} kind={kind} />
        </>
      )}
    </Section>
  );
}

const LEADS = {
  full: 'The merged model, what each task keeps beside it, a model card and the recipe, as files that torch, transformers and this page open.',
  adapters:
    'The merged adapter, each task’s compressed adapter, a model card and the recipe, as files that PEFT and this page open.',
  loras:
    'Each file at its ranks, or the sum of all, with a model card and the recipe; names, order and metadata are the sources’ unless you chose otherwise.',
} as const;

function Actions() {
  const [isUploading, setIsUploading] = useState(false);
  const readiness = useReadiness();
  const made = useStore(exportStore, selectMade);
  const committed = useStore(recipeStore, selectCommitted);
  const isCurrent = made !== null && sameRecipe(made.recipe, committed);
  const job = useStore(jobStore, selectJob);
  const canTake = canTakeAlong({ made }, { job });
  const reasonId = useId();
  const reason = REASONS[readiness];
  const describedBy = reason === null ? undefined : reasonId;
  return (
    <>
      <div className={styles.actions}>
        <Button
          look={isCurrent ? 'plain' : 'strong'}
          unavailable={readiness !== 'ready'}
          describedBy={describedBy}
          onClick={() => {
            void exportFiles(document.baseURI);
          }}
        >
          Export
        </Button>
        {made !== null && (
          <>
            <Button
              look={isCurrent ? 'strong' : 'plain'}
              unavailable={!canTake}
              describedBy={describedBy}
              onClick={downloadAll}
            >
              Download all
            </Button>
            {canSaveToFolder() && (
              <Button unavailable={!canTake} describedBy={describedBy} onClick={saveToFolder}>
                Save to a folder
              </Button>
            )}
            <Button
              unavailable={!canTake}
              describedBy={describedBy}
              onClick={() => {
                setIsUploading(true);
              }}
            >
              Upload to the Hub…
            </Button>
          </>
        )}
        {reason !== null && (
          <p id={reasonId} className={styles.reason}>
            {reason}
          </p>
        )}
      </div>
      {made !== null && (
        <UploadDialog
          facts={made.facts}
          isOpen={isUploading}
          onClose={() => {
            setIsUploading(false);
          }}
        />
      )}
    </>
  );
}

/** Why nothing can be exported now. */
const REASONS: Readonly<Record<ExportReadiness, string | null>> = {
  ready: null,
  computing: 'Files can be made once the numbers above are computed.',
  unfinished: 'The run ended early: files can be made once it has run to its end.',
  busy: 'Under way: progress and Cancel are in the bar above.',
  gone: 'What was open is lost: try again first, as the message above says.',
};

function useReadiness(): ExportReadiness {
  const job = useStore(jobStore, selectJob);
  const weights = useStore(sourcesStore, selectWeights);
  const complete = useStore(resultsStore, selectComplete);
  const committed = useStore(recipeStore, selectCommitted);
  return exportReadiness({ job, weights, complete, committed });
}

function downloadAll(): void {
  void zipExport().then((zip) => {
    if (zip !== null) saveFile('peru-export.zip', zip);
  }, raiseAlert);
}

function saveToFolder(): void {
  void pickFolderToSave()
    .then((folder) => (folder === null ? undefined : saveExport(folder)))
    .catch(raiseAlert);
}
