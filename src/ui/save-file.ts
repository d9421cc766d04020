/** Hands a JSON value to the browser as a file to save. */
export function saveJson(name: string, value: unknown): void {
  const blob = new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: 'application/json' });
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of the blob once the click's task is over.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  });
}
