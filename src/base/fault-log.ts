import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";

/** Tells in the log of something that fails again and again, such as on a full disk, without filling the log with it. */
export interface FaultLog {
  /** It failed: the first time is told, then at most one a minute, with how often it failed meanwhile. */
  failed(error: unknown): void;
  /** It worked: told where it had failed before. */
  worked(): void;
}

/** What is told of what. */
export interface FaultLogOptions {
  readonly log: Logger;
  readonly clock: Clock;
  readonly level: "error" | "warn";
  /** Said of each failure that is told. */
  readonly message: string;
  /** Said at the end. */
  readonly over: string;
}

const REPEAT_MS = 60_000;

/** A fault log of its own for one kind of work. */
export function createFaultLog({ log, clock, level, message, over }: FaultLogOptions): FaultLog {
  let failures = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return {
    failed: (error) => {
      failures += 1;
      if (failures > 1 && clock.monotonicMs() - toldAtMs < REPEAT_MS) return;
      toldAtMs = clock.monotonicMs();
      log[level](message, { error, ...(failures > 1 ? { failures } : {}) });
    },
    worked: () => {
      if (failures > 0) log.info(over, { failures });
      failures = 0;
    },
  };
}
