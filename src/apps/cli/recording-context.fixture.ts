import type { CliContext } from "./cli-context.ts";

/** A context for tests that keeps what was written and whose clock stands until it is moved. */
export interface RecordingContext extends CliContext {
  /** All that went to standard output and standard error so far. */
  readonly written: { output: string; error: string };
  /** Both clocks' reading, in milliseconds. */
  readonly time: { nowMs: number };
}

/** Creates a context with a terminal of 60 columns unless told otherwise. */
export function createRecordingContext(overrides: Partial<CliContext> = {}): RecordingContext {
  const written = { output: "", error: "" };
  const time = { nowMs: 0 };
  return {
    written,
    time,
    writeOutput: (text) => {
      written.output += text;
    },
    writeError: (text) => {
      written.error += text;
    },
    isErrorTerminal: true,
    columns: 60,
    signal: new AbortController().signal,
    environment: {},
    clock: { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs },
    ...overrides,
  };
}
