/**
 * Opens a group in two steps: from headers and small files alone it plans what merging will do and
 * cost; when told to, it loads the weights, or readies them to be streamed, and an evaluator where
 * there is one.
 */
import { type AdapterGroup } from './adapters/adapter-group';
import { openAdapterGroup } from './adapters/open-adapters';
import { type Pause } from '@/sources/checkpoint-source';
import { chooseEngine, type ChosenEngine, engineEvent } from './choose-engine';
import { deviceLoss } from './device-loss';
import { FetchedBytes } from './fetched-bytes';
import { type FullGroup } from './full/load-full';
import { openFullGroup } from './full/open-full';
import { groupSources } from './group-sources';
import { CurrentPorts, type JobPorts } from './job-ports';
import { type OpenedGroup } from './opened-group';
import { type SourceRequest } from './protocol';

/** Weights on the engine, ready to be merged and scored. */
export type LoadedGroup = FullGroup | AdapterGroup;

export interface Opening extends JobPorts {
  readonly request: SourceRequest;
}

/**
 * Reads what it takes to plan. A group that merges but can not be scored opens all the same, and
 * its facts say why.
 *
 * @throws PeruError for whatever keeps the files from being opened
 */
export async function openGroup(opening: Opening): Promise<OpenedGroup<LoadedGroup>> {
  // The device opens while the headers arrive.
  const engineReady = chooseEngine();
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
  { request, emit, signal }: Opening,
  engineReady: Promise<ChosenEngine>,
): Promise<OpenedGroup<LoadedGroup>> {
  const ports = new CurrentPorts({ emit, signal });
  const fetched = new FetchedBytes();
  fetched.onArrival = () => {
    const { loaded: done, asked: total } = fetched;
    emit({ type: 'progress', progress: { stage: 'Fetching files', done, total, unit: 'bytes' } });
  };
  const onPause = (pause: Pause | null): void => {
    ports.emit({ type: 'pause', pause });
  };
  const options = { signal, onProgress: fetched.add, onPause };
  const sources = await groupSources(request, options);
  const allowNonFinite = request.kind !== 'demo' && request.allowNonFinite === true;
  const chosen = await engineReady;
  emit(engineEvent(chosen, ''));
  const parts = { request, options, fetched, ports, allowNonFinite, chosen };
  const opened =
    sources.kind === 'full' ? openFullGroup(sources, parts) : openAdapterGroup(sources, parts);
  return opened.finally(() => {
    fetched.onArrival = null;
  });
}
