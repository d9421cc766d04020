import { hubStore } from '@/store/state/hub';
import { selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { type LinkedSource } from './link';

/** What is open now, as far as a link can carry it. */
export function linkedSource(): LinkedSource {
  const sources = sourcesStore.getState();
  const { request, group, patterns } = sources;
  const hubUrl = request?.kind === 'hub' ? request.hubUrl : hubStore.getState().hubUrl;
  const cards = group?.cards ?? [];
  return { request, kind: selectKind(sources), cards, patterns, hubUrl: hubUrl ?? null };
}
