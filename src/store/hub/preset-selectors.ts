import { hubHost } from './hub-url';
import { type HubState } from '@/store/state/hub';
import { type SourceRequest } from '@/store/state/sources';
import { type Preset, PRESETS } from '@/sources/presets';

export { type Preset, PRESETS };

/** Id of the preset that is open or being opened; null for anything else. */
export function openPresetId({
  request,
}: {
  readonly request: SourceRequest | null;
}): string | null {
  return request?.kind === 'hub' ? (request.preset ?? null) : null;
}

/** Host that the repos would be read from. */
export function selectHost({ hubUrl }: HubState): string {
  return hubHost(hubUrl);
}
