import type { Clock } from "../../src/base/clock.ts";

/** A clock that stands still until it is told otherwise. */
export interface FakeClock extends Clock {
  /** Lets time pass. */
  advance(ms: number): void;
  /** Sets the wall clock forward or back; measured time does not move. */
  jump(ms: number): void;
}

/** A clock at an instant of 2026. */
export function createFakeClock(): FakeClock {
  let wallMs = 1_790_000_000_000;
  let monotonicMs = 0;
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    advance: (ms) => {
      wallMs += ms;
      monotonicMs += ms;
    },
    jump: (ms) => {
      wallMs += ms;
    },
  };
}
