/** What a job says while it works, on its way into the stores. */
import { type JobEvent } from '@/protocol/events';
import { handleExport } from '@/store/export/edits';
import { adoptGroupLambda, adoptGroupRanks, adoptRecipe, sameRecipe } from '@/store/recipe/edits';
import { adapterLimits, loraLimits } from '@/store/recipe/rank-limits';
import { type Found } from '@/protocol/goal';
import { type GroupFacts } from '@/protocol/group-facts';
import { recipeStore } from '@/store/state/recipe';
import { Paced } from './paced';
import { dropStale, handleResult } from './results';
import { sourcesStore } from '@/store/state/sources';
import { nextRate, type Progress } from '@/store/state/progress-rate';
import { jobStore } from '@/store/state/job';

export function handleEvent(event: JobEvent): void {
  switch (event.type) {
    case 'engine': {
      const { engine, adapter, evaluator, noGpu, passedOver } = event;
      jobStore.setState({
        engine: {
          ...{ engine, adapter, evaluator },
          ...(noGpu && { noGpu }),
          ...(passedOver && { passedOver }),
        },
      });
      return;
    }
    case 'memory': {
      const { liveBytes, peakBytes } = event;
      jobStore.setState({ memory: { liveBytes, peakBytes } });
      return;
    }
    case 'preflight':
      sourcesStore.setState({ preflight: event.preflight });
      return;
    case 'group':
      sourcesStore.setState({ group: event.group });
      adoptGroupLambda(event.group.lambda);
      adoptLimits(event.group.contents);
      return;
    case 'found':
      adoptFound(event.found);
      return;
    case 'progress':
      progress.add(event.progress);
      return;
    case 'pause':
      jobStore.setState({ pause: event.pause });
      return;
    case 'histograms':
    case 'spectra':
    case 'overlap':
    case 'score':
    case 'sparse':
    case 'low-rank':
    case 'storage':
    case 'stage':
      handleResult(event);
      return;
    case 'exported':
    case 'zipped':
    case 'uploaded':
      handleExport(event);
  }
}

/** The run goes on with what it has found: so do recipe and results. */
function adoptFound(found: Found): void {
  const { lambdaFrom } = recipeStore.getState();
  const before = recipeStore.getState().committed;
  adoptRecipe(found.change);
  recipeStore.setState({ lambdaFrom });
  const { committed } = recipeStore.getState();
  if (!sameRecipe(before, committed)) dropStale(committed);
  jobStore.setState({ found });
}

/** The recipe's ranks, within what the group can have. */
function adoptLimits(contents: GroupFacts['contents']): void {
  if (contents.kind === 'adapters') adoptGroupRanks(adapterLimits(contents));
  if (contents.kind === 'loras') {
    adoptGroupRanks(loraLimits(contents, recipeStore.getState().committed.lora));
  }
}

const progress = new Paced<Progress>((all) => {
  const last = all.at(-1);
  const { job } = jobStore.getState();
  if (last === undefined || job.status !== 'working') return;
  jobStore.setState({ job: { ...job, pace: nextRate(job.pace, last, performance.now()) } });
});

/** Forgets what an older job said last. */
export function dropProgress(): void {
  progress.drop();
}

/** Shows the latest report now: the job that made it is about to end. */
export function flushProgress(): void {
  progress.flush();
}
