/** Lets one operation work at a time: each makes room for what it reads. */
export class Turns {
  private tail: Promise<unknown> = Promise.resolve();

  /** Runs an operation once those before it have ended. */
  take<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.tail.then(operation);
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** A turn of an operation that goes on while others ask: they wait until it ends. */
  begin(): { readonly begun: Promise<unknown>; readonly end: () => void } {
    const begun = this.tail;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.tail = begun.then(() => over);
    return { begun, end };
  }
}
