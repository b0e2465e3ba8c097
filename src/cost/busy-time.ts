/** A stretch of time in milliseconds, on any clock. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** For how long at least one of the stretches lasted, in milliseconds: time in which several did counts once. */
export function busyMs(stretches: readonly Stretch[]): number {
  let total = 0;
  let reachedMs = Number.NEGATIVE_INFINITY;
  for (const { startMs, endMs } of stretches.toSorted((a, b) => a.startMs - b.startMs)) {
    total += Math.max(0, endMs - Math.max(startMs, reachedMs));
    reachedMs = Math.max(reachedMs, endMs);
  }
  return total;
}
