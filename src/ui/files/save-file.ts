/** Hands files to the browser to save. */

export function saveJson(name: string, value: unknown): void {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  saveFile(name, new Blob([text], { type: 'application/json' }));
}

/** Saves a blob, which may lie on disk and be large, under a name. */
export function saveFile(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // By then every browser has taken hold of the blob; some ask the visitor where to save it first.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, REVOKE_MS);
}

const REVOKE_MS = 60_000;

/** What a file of an export is called outside of its folder: every task's has one name in it. */
export function nameOutside(path: string): string {
  const parts = path.split('/');
  return parts.slice(-2).join('-');
}
