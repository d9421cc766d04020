/** What the buttons of the presets do. */
import { addRepos, removeRepo } from './hub';
import { listedRequest } from '@/store/hub/request';
import { hubStore } from '@/store/state/hub';
import { openSource } from './job';
import { adoptGroupLambda, forgetChosenLambda } from '@/store/recipe/edits';
import { type Preset } from '@/sources/presets';

/**
 * Puts a preset's repos on the list, in the place of what stood there, takes its base and λ, and
 * opens it to the report. They are read from the Hub in use.
 */
export function openPreset({ base, tasks, lambda }: Preset): void {
  for (const repo of hubStore.getState().repos) removeRepo(repo);
  addRepos([base, ...tasks.map(({ ref }) => ref)].join(' '));
  forgetChosenLambda();
  adoptGroupLambda(lambda);
  void openSource(listedRequest(base));
}
