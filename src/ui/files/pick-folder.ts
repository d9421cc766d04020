/** Folders that the page may write into, where the browser has them. */

/** https://wicg.github.io/file-system-access/; TypeScript's library does not know of it. */
interface PickerWindow {
  showDirectoryPicker?(options: {
    readonly id: string;
    readonly mode: 'readwrite';
  }): Promise<FileSystemDirectoryHandle>;
}

export function canSaveToFolder(): boolean {
  return (globalThis as PickerWindow).showDirectoryPicker !== undefined;
}

/**
 * Lets the visitor pick a folder to save into; only from within a click.
 *
 * @returns null where none is picked
 */
export async function pickFolderToSave(): Promise<FileSystemDirectoryHandle | null> {
  try {
    const holder = globalThis as PickerWindow;
    return (await holder.showDirectoryPicker?.({ id: 'peru-export', mode: 'readwrite' })) ?? null;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}
