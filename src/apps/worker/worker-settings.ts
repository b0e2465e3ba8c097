import type { Config } from "../../base/config-defaults.ts";
import type { QueueBound } from "../../jobs/ports.ts";
import type { Home } from "../parts.ts";

/** What the pool tells a worker at its start. */
export interface WorkerSettings {
  /** Who holds the leases; also the name of the worker's folder. */
  readonly owner: string;
  readonly home: Home;
  readonly leaseMs: number;
  /** The worker ends after so long without work. */
  readonly idleEndMs: number;
  readonly queues: readonly QueueBound[];
  /** How often to look for work that nobody tells of, in milliseconds; undefined where looking costs nothing. */
  readonly lookMs: number | undefined;
  readonly metrics: Config["metrics"];
  readonly logFormat: "json" | "text";
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** From pool to worker: there is something new; end when what is under way was put back. */
export type PoolMessage = "wake" | "stop";

/** From worker to pool; `alive` comes every `ALIVE_EVERY_MS`, as long as what is worked at lets timers have their turn. */
export type WorkerMessage = "busy" | "idle" | "alive";

/** How often a worker says that it is there. */
export const ALIVE_EVERY_MS = 1000;
