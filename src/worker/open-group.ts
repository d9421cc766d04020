/** Opens a group: headers, plan, engine, weights on the engine, and an evaluator where there is one. */
import { type ByteProgress, type OpenOptions } from '@/sources/checkpoint-source';
import { type AdapterGroup, openAdapterGroup } from './adapters/open-adapters';
import { chooseEngine, type ChosenEngine } from './choose-engine';
import { deviceLoss } from './device-loss';
import { type FullGroup, openFullGroup } from './full/open-full';
import { groupSources } from './group-sources';
import { type JobEvent, type SourceRequest } from './protocol';

export type OpenGroup = FullGroup | AdapterGroup;

export interface Opening {
  readonly request: SourceRequest;
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/** What opening a group of either kind starts from. */
export interface OpeningParts extends Opening {
  readonly engineReady: Promise<ChosenEngine>;
  readonly options: OpenOptions;
  /** Go on although NaN or Inf was found. */
  readonly allowNonFinite: boolean;
}

/**
 * Reads headers, plans, loads the weights to the engine and readies the evaluator. A group that
 * merges but can not be scored opens all the same, and its facts say why.
 *
 * @throws PeruError for whatever keeps the group from being merged
 */
export async function openGroup(opening: Opening): Promise<OpenGroup> {
  // The device opens while the files arrive.
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

async function assemble(opening: Opening, engineReady: Promise<ChosenEngine>): Promise<OpenGroup> {
  const { request, emit, signal } = opening;
  const options = { signal, onProgress: byteProgress(emit) };
  const sources = await groupSources(request, options);
  const allowNonFinite = request.kind !== 'demo' && request.allowNonFinite === true;
  const parts = { ...opening, engineReady, options, allowNonFinite };
  return sources.kind === 'full' ? openFullGroup(sources, parts) : openAdapterGroup(sources, parts);
}

/** Adds up the bytes of files that arrive side by side. */
function byteProgress(emit: Opening['emit']): (progress: ByteProgress) => void {
  const files = new Map<string, ByteProgress>();
  return (progress) => {
    files.set(progress.path, progress);
    let done = 0;
    let total = 0;
    for (const { loadedBytes, totalBytes } of files.values()) {
      done += loadedBytes;
      total += totalBytes ?? loadedBytes;
    }
    emit({ type: 'progress', progress: { stage: 'Fetching files', done, total, unit: 'bytes' } });
  };
}
