import type { Clock } from "../../base/clock.ts";
import type { Environment } from "../../base/config-defaults.ts";

/** What a command may touch of the world outside; handed in, so that a test can hold all of it. */
export interface CliContext {
  /** Writes to standard output: results alone. */
  readonly writeOutput: (text: string) => void;
  /** Whether anything was written to standard output yet. */
  readonly hasOutput: () => boolean;
  /** Writes to standard error: progress, notices, failures. */
  readonly writeError: (text: string) => void;
  /** Whether standard error is a terminal, so that a progress bar may be drawn. */
  readonly isErrorTerminal: boolean;
  /** Whether standard output is a terminal, so that it may be drawn over. */
  readonly isOutputTerminal: boolean;
  /** Width of the terminal in columns, ≥ 20. */
  readonly columns: number;
  /** Height of the terminal in rows, ≥ 5. */
  readonly rows: number;
  /** Puts a question to whoever sits at the terminal and gives the answer; undefined where nobody can be asked. */
  readonly askUser: ((question: string) => Promise<string>) | undefined;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; the reason is the signal's name. */
  readonly signal: AbortSignal;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Resolves after so many milliseconds, at once when the signal is aborted; never rejects. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
}
