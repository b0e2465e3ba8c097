import type { Clock } from "../../base/clock.ts";
import type { Environment } from "../../base/config-defaults.ts";

/** What a command may touch of the world outside; handed in, so that a test can hold all of it. */
export interface CliContext {
  /** Writes to standard output: results alone. */
  readonly writeOutput: (text: string) => void;
  /** Writes to standard error: progress, notices, failures. */
  readonly writeError: (text: string) => void;
  /** Whether standard error is a terminal, so that a progress bar may be drawn. */
  readonly isErrorTerminal: boolean;
  /** Width of the terminal in columns, ≥ 20. */
  readonly columns: number;
  /** Aborted by SIGINT and SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal;
  readonly environment: Environment;
  readonly clock: Clock;
}
