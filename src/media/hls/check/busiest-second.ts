/** Sums of fractions miss a whole second by no more. */
const ROUNDING_SECONDS = 0.000_001;
/** Of hostile segments, whose pictures all stand within one second. */
const MAX_CARRIED_FRAMES = 1000;

/** Presentation times of the last second's pictures, rising, carried from one segment of a playlist to the next; at the beginning and at a discontinuity none. */
export interface RecentFrames {
  seconds: Float64Array;
}

/** None yet. */
export function createRecentFrames(): RecentFrames {
  return { seconds: new Float64Array(0) };
}

/**
 * The most pictures that any one second has, of presentation times in seconds, rising: steps from a picture to the next, so that exactly 60 Hz has 60. 0 where
 * no second has two.
 */
export function framesInBusiestSecond(seconds: ArrayLike<number>): number {
  let most = 0;
  let first = 0;
  for (let last = 1; last < seconds.length; last++) {
    while ((seconds[last] as number) - (seconds[first] as number) > 1 + ROUNDING_SECONDS) first++;
    most = Math.max(most, last - first);
  }
  return most;
}

/**
 * As `framesInBusiestSecond`, of a segment's pictures and those before them, which are replaced by this segment's last. Times that do not go on from
 * them begin anew.
 */
export function addToBusiestSecond(recent: RecentFrames, seconds: Float64Array): number {
  const isLater = (seconds[0] ?? 0) > (recent.seconds.at(-1) ?? Number.POSITIVE_INFINITY);
  const before = isLater ? recent.seconds : new Float64Array(0);
  const all = new Float64Array(before.length + seconds.length);
  all.set(before);
  all.set(seconds, before.length);
  const from = (all.at(-1) ?? 0) - 1 - ROUNDING_SECONDS;
  const kept = all.findIndex((at) => at >= from);
  recent.seconds = all.slice(Math.max(kept, all.length - MAX_CARRIED_FRAMES));
  return framesInBusiestSecond(all);
}
