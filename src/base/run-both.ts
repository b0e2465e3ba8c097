/**
 * Runs two works at once. The first failure aborts the signal that the other was given, and is thrown once both have ended,
 * so that nothing of theirs goes on afterwards. Both hear `signal` too.
 */
export async function runBoth<A, B>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const start = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(either);
    } catch (error) {
      ending.abort();
      throw error;
    }
  };
  const works = [start(first), start(second)] as const;
  try {
    return await Promise.all(works);
  } finally {
    await Promise.allSettled(works);
  }
}
