/**
 * Opens a group in two steps: from headers and small files alone it plans what merging will do and
 * cost; when told to, it loads the weights, or readies them to be streamed, and an evaluator where
 * there is one.
 */
import { type AdapterGroup } from '@/jobs/adapters/adapter-group';
import { openAdapterGroup } from '@/jobs/adapters/open-adapters';
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { loadPart } from '@/core/load-part';
import { engineEvent } from './context/engine-event';
import { type ChosenEngine, type Platform } from './context/platform';
import { deviceLoss } from '@/jobs/context/device-loss';
import { FetchedBytes } from '@/jobs/context/fetched-bytes';
import { type FullGroup } from '@/jobs/full/load-full';
import { type LoraGroup } from '@/jobs/loras/lora-group';
import { openFullGroup } from '@/jobs/full/open-full';
import { groupSources } from '@/jobs/open/group-sources';
import { CurrentJob, type JobContext } from '@/jobs/context/job-context';
import { type OpenedGroup, type OpeningParts } from '@/jobs/group/opened-group';
import { type AnySources } from '@/jobs/group/sources';
import { type EnginePreference, type SourceRequest } from '@/protocol/requests';

/** Of any kind. */
export type AnyGroup = FullGroup | AdapterGroup | LoraGroup;

export interface Opening extends JobContext {
  readonly request: SourceRequest;
  readonly platform: Platform;
  /** Default: `auto`. */
  readonly engine?: EnginePreference;
}

/**
 * Reads what it takes to plan. A group that merges but can not be scored opens all the same, and
 * its facts say why.
 *
 * @throws PeruError for whatever keeps the files from being opened
 */
export async function openGroup(opening: Opening): Promise<OpenedGroup<AnyGroup>> {
  // The device opens while the headers arrive.
  const engineReady = opening.platform.chooseEngine(opening.engine ?? 'auto');
  const opened = assemble(opening, engineReady);
  const loss = engineReady.then(({ engine }) => deviceLoss(engine));
  try {
    return await Promise.race([opened, loss]);
  } catch (error) {
    const dispose = ({ engine }: ChosenEngine): void => {
      engine.dispose();
    };
    void engineReady.then(dispose, () => undefined);
    throw error;
  }
}

async function assemble(
  { request, platform, emit, signal }: Opening,
  engineReady: Promise<ChosenEngine>,
): Promise<OpenedGroup<AnyGroup>> {
  const context = new CurrentJob({ emit, signal });
  const fetched = new FetchedBytes();
  fetched.onArrival = () => {
    const { loaded: done, asked: total } = fetched;
    emit({ type: 'progress', progress: { stage: 'Fetching files', done, total, unit: 'bytes' } });
  };
  const onPause = (pause: Pause | null): void => {
    context.emit({ type: 'pause', pause });
  };
  const options = { platform, signal, onProgress: fetched.add, onPause };
  const sources = await groupSources(request, options);
  const allowNonFinite = request.kind !== 'demo' && request.allowNonFinite === true;
  const chosen = await engineReady;
  emit(engineEvent(chosen, ''));
  const parts = { request, options, fetched, context, allowNonFinite, chosen };
  return openSources(sources, parts).finally(() => {
    fetched.onArrival = null;
  });
}

async function openSources(
  sources: AnySources,
  parts: OpeningParts,
): Promise<OpenedGroup<AnyGroup>> {
  switch (sources.kind) {
    case 'full':
      return openFullGroup(sources, parts);
    case 'adapters':
      return openAdapterGroup(sources, parts);
    case 'loras': {
      const { openLoraGroup } = await loadPart(() => import('./loras/open-loras'));
      return openLoraGroup(sources, parts);
    }
  }
}
