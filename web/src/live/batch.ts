/** Gathers news by name and hands them on together, so that a busy server does not make the page draw all the time. */
export interface Batch<T> {
  readonly add: (name: string, value: T) => void;
  readonly stop: () => void;
}

/** Creates a batch that gathers for `gatherMs`; of several values of one name, the newest is handed on. */
export function createBatch<T>(hand: (values: ReadonlyMap<string, T>) => void, gatherMs: number): Batch<T> {
  let gathered = new Map<string, T>();
  let timer: number | undefined;
  const flush = (): void => {
    timer = undefined;
    const values = gathered;
    gathered = new Map();
    hand(values);
  };
  return {
    add: (name, value) => {
      gathered.set(name, value);
      timer ??= window.setTimeout(flush, gatherMs);
    },
    stop: () => {
      window.clearTimeout(timer);
      timer = undefined;
    },
  };
}
