const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/** How long to wait before the next attempt, in milliseconds, after so many failures (≥ 1) in a row. */
export function pauseAfter(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
}
