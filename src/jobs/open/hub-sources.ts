/** Groups of repos of a Hub: what a preset makes of them, and what Peru exported to them. */
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { type Substitute } from '@/hub/conversions';
import { type HubClient } from '@/hub/hub-client';
import { type HubExport } from '@/hub/hub-repo';
import { loadPart } from '@/core/load-part';
import { presetOf } from '@/sources/presets';
import { type JobOptions } from '@/jobs/context/platform';
import { type AboutGroup, groupOf, unscoredTask } from './assemble-group';
import { type AnySources } from '@/jobs/group/sources';
import { type SourceRequest } from '@/protocol/requests';
import { recipeOf } from '@/sources/recipe-of';
import { reopenAdapters } from '@/jobs/reopening/reopen-adapters';
import { reopenFull } from '@/jobs/reopening/reopen-full';
import { presetTask } from '@/jobs/scoring/preset-tests';

type HubRequest = Extract<SourceRequest, { kind: 'hub' }>;

/** @throws PeruError as `openHubGroup`, `reopenFull` and `reopenAdapters` */
export async function hubSources(request: HubRequest, options: JobOptions): Promise<AnySources> {
  const { repos, hubUrl, accessToken } = request;
  const [{ HubClient }, { openHubExport, openHubGroup }] = await loadPart(() =>
    Promise.all([import('@/hub/hub-client'), import('@/hub/hub-repo')]),
  );
  const cache = (await options.platform.openHubCache()) ?? undefined;
  const client = new HubClient({ hubUrl, accessToken, cache, onPause: options.onPause });
  const [only, another] = new Set(repos.map(folderOfSparse));
  // One repo is no group, unless it is an export.
  if (only !== undefined && another === undefined) {
    const exported = await openHubExport(only, client, options);
    const group = exported && (await reopen(chosenOf(exported, repos), client, options));
    if (group !== null) return group;
  }
  // A preset is one click: what its repos have turned into since is not the visitor's to find out.
  const takesConversions = request.preset !== undefined;
  const found = await openHubGroup(repos, client, { ...options, takesConversions });
  const places = new Map<RepoSource, string>();
  for (const model of [...found.checkpoints, ...found.adapters]) {
    places.set(model, model.hub.repo);
  }
  const classesUrl = new URL('presets/', options.platform.siteUrl());
  const about = aboutHub(request.preset, { client, classesUrl }, places);
  const group = await groupOf(found, about, idOfBase(request, found.ids), options);
  return { ...group, findings: found.substitutes.map(substituteFinding) };
}

/** `…/TASK.sparse.safetensors`, with or without a revision behind it. */
const SPARSE_FILE = /\/([^/@]+\.sparse\.safetensors)(?=@|$)/;

/** An export may be named by its parts: the folder, and each sparse vector in it. */
function folderOfSparse(reference: string): string {
  return reference.replace(SPARSE_FILE, '');
}

/** The sparse vectors that are named, missing ones too, which opening them tells; all where none is. */
function chosenOf(exported: HubExport, repos: readonly string[]): HubExport {
  const chosen = repos.flatMap((reference) => SPARSE_FILE.exec(reference)?.[1] ?? []);
  if (exported.names === null || chosen.length === 0) return exported;
  return { ...exported, names: { ...exported.names, sparsePaths: [...new Set(chosen)].sort() } };
}

/** Null where it turns out to be none of Peru's. */
async function reopen(
  { repo, names, adapters }: HubExport,
  client: HubClient,
  options: JobOptions,
): Promise<AnySources | null> {
  if (names !== null) return reopenFull({ ...names, repo }, client, options);
  const recipe = await recipeOf(repo, options);
  if (recipe?.compress.method !== 'peru-lora') return null;
  const places = { checkpoints: [], chosen: undefined, client };
  return reopenAdapters({ recipe, adapters }, places, options);
}

/** A preset names the tasks that are its own; others stay what their repos are called. */
function aboutHub(
  presetId: string | undefined,
  places: { readonly client: HubClient; readonly classesUrl: URL },
  repoOf: ReadonlyMap<RepoSource, string>,
): AboutGroup {
  const preset = presetId === undefined ? null : presetOf(presetId);
  const plain = { title: 'From the Hub', lambda: null, taskOf: unscoredTask };
  if (preset === null) return plain;
  const given = new Set<string>();
  const taskOf: AboutGroup['taskOf'] = (model) => {
    const facts = presetTask(preset, repoOf.get(model) ?? '', places);
    // Two revisions of one repo are two tasks, and only one can have the name.
    if (facts !== null && !given.has(facts.name)) {
      given.add(facts.name);
      return facts;
    }
    const plainTask = unscoredTask(model);
    const isTaken = preset.tasks.some(({ name }) => name === plainTask.name);
    return isTaken ? { ...plainTask, name: model.folder, title: model.folder } : plainTask;
  };
  return { title: preset.title, lambda: preset.lambda, taskOf };
}

function substituteFinding({ taken, because }: Substitute): Finding {
  return finding({
    level: 'note',
    topic: 'sources',
    title: `${taken} was taken instead of what the preset names.`,
    detail: `${because} This revision of the same repo has its weights as safetensors.`,
  });
}

/** The base may be named by what was opened, or by the reference that opened it. */
function idOfBase({ repos, base }: HubRequest, ids: readonly string[]): string | undefined {
  return base === undefined ? undefined : (ids[repos.indexOf(base)] ?? base);
}
