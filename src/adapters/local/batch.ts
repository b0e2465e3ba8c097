/** What is asked for one by one and done together. */
interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What became of one item. */
export type Settled<Result> = { readonly result: Result } | { readonly error: unknown };

/**
 * Gathers what is asked for within one turn of the event loop and has it done at once; `run` gives the outcomes in the items'
 * order. Where `run` throws, all of them fail.
 */
export function createBatch<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Settled<Result>[]>,
): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = [];
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    try {
      const settled = await run(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = settled[index];
        if (outcome !== undefined && "result" in outcome) resolve(outcome.result);
        else reject(outcome?.error);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ item, resolve, reject }) === 1) setImmediate(flush);
    });
}
