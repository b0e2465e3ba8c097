/**
 * Works through `items` in their order, so many at a time (≥ 1). The first failure aborts the signal that the others were given, and is thrown
 * once all have ended, so that nothing goes on afterwards. All hear `signal`, too.
 */
export async function runPool<Item>(
  items: readonly Item[],
  concurrency: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const queue = items.values();
  const takeAll = async (): Promise<void> => {
    for (const item of queue) {
      try {
        await work(item, either);
      } catch (error) {
        ending.abort();
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.min(concurrency, items.length)) }, takeAll);
  try {
    await Promise.all(workers);
  } finally {
    await Promise.allSettled(workers);
  }
}
