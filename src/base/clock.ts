/** Where time comes from; handed in, never global, so that a test can hold it still. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z; may step when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never runs backwards. For measuring how long something took. */
  monotonicMs(): number;
}

/** The longest that Node's timers can be set to, 24 days; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clocks. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
