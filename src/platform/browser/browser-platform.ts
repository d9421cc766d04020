/** What jobs need, in a browser: its own file system, its GPU, the address of this page. */
import { type Platform } from '@/jobs/context/platform';
import { loadPart } from '@/core/load-part';
import { chooseEngine } from './choose-engine';
import { freeCacheBytes, openHubCache } from './hub-cache';
import { startLanes } from './lane-threads';
import { opfsStore } from './opfs-folder';
import { coreCount } from './own-workers';

export function browserPlatform(): Platform {
  return {
    chooseEngine,
    mainMemoryGib: mainMemoryGib(),
    lanes: { most: coreCount(), shareMemory: shareMemory(), start: startLanes },
    exports: opfsStore(),
    openHubCache,
    freeCacheBytes,
    siteUrl,
    saveToFolder: async (...copy) => {
      const { saveToFolder } = await loadPart(() => import('./save-to-folder'));
      return saveToFolder(...copy);
    },
  };
}

/** SharedArrayBuffer is for isolated pages only; there is no such thing outside of a browser. */
function shareMemory(): boolean {
  return (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated === true;
}

/** Some browsers tell it, and round it. */
function mainMemoryGib(): number | null {
  const { navigator: own } = globalThis as { readonly navigator?: { deviceMemory?: number } };
  return own?.deviceMemory ?? null;
}

/** The folder index.html lies in; a worker only knows where its own script is. */
function siteUrl(): URL {
  // The worker's script lies in assets/ of the built page, in src/ under the dev server.
  return new URL(import.meta.env.DEV ? '/' : '../', import.meta.url);
}
