/** Changes of the export's state that start no work by themselves. */
import { type JobEvent } from '@/protocol/events';
import { recipeStore } from '@/store/state/recipe';
import { exportStore, INITIAL_EXPORT } from '@/store/state/export';

export type ExportEvent = Extract<JobEvent, { type: 'exported' | 'zipped' | 'uploaded' }>;

/** Something else is open, or about to be: the worker that held the files is gone. */
export function resetExport(): void {
  exportStore.setState(INITIAL_EXPORT);
}

export function handleExport(event: ExportEvent): void {
  switch (event.type) {
    case 'exported':
      exportStore.setState({
        ...INITIAL_EXPORT,
        // Another recipe would have ended this job.
        made: { facts: event.facts, recipe: recipeStore.getState().committed },
      });
      return;
    case 'zipped':
      exportStore.setState({ zip: event.file });
      return;
    case 'uploaded': {
      const { url, commit } = event;
      exportStore.setState(({ target }) => ({
        uploaded: target === null ? null : { ...target, url, commit },
      }));
    }
  }
}
