import type { ServerOptions } from "../client/connect.ts";

/** What every command that talks to a server takes. */
export interface RemoteOptions extends ServerOptions {
  /** Print JSON on standard output. */
  readonly json: boolean;
}

/** `reelmill jobs list`. */
export interface JobsListOptions extends RemoteOptions {
  readonly pipeline?: string;
  /** Statuses with commas between. */
  readonly status?: string;
  /** From 1 to 500. */
  readonly limit: number;
  /** Every page, not the first alone. */
  readonly all: boolean;
}

/** `reelmill logs`. */
export interface LogsOptions extends RemoteOptions {
  /** From 1 to 10,000. */
  readonly limit: number;
  readonly follow: boolean;
}

/** `reelmill dead-letters list`. */
export interface DeadLetterListOptions extends RemoteOptions {
  readonly queue?: string;
}

/** `reelmill dead-letters replay`. */
export interface DeadLetterReplayOptions extends DeadLetterListOptions {
  readonly all: boolean;
}

/** `reelmill dead-letters discard`. */
export interface DeadLetterDiscardOptions extends RemoteOptions {
  /** Do not ask. */
  readonly yes: boolean;
}

/** `reelmill monitor`. */
export interface MonitorOptions extends RemoteOptions {
  /** Seconds between two looks, from 1 to 3600. */
  readonly interval: number;
  readonly once: boolean;
}

/** `reelmill submit`. */
export interface SubmitOptions extends RemoteOptions {
  /** `name=value` each. */
  readonly param: readonly string[];
  readonly paramsFile?: string;
  /** Local files that become references. */
  readonly reference: readonly string[];
  /** From -100 to 100. */
  readonly priority?: number;
  readonly idempotencyKey?: string;
  readonly webhook?: string;
  /** Say first what the job would cost on AWS; undefined: where it costs that, and somebody reads it. */
  readonly estimate?: boolean;
  readonly watch: boolean;
  /** Folder for the job's outputs; implies `watch`. */
  readonly output?: string;
}
