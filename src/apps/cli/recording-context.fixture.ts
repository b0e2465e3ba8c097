import type { CliContext } from "./cli-context.ts";

/** A context for tests that keeps what was written and whose clock stands until it is moved. */
export interface RecordingContext extends CliContext {
  /** All that went to standard output and standard error so far. */
  readonly written: { output: string; error: string };
  /** Both clocks' reading, in milliseconds. A sleep takes no time of its own, but moves it. */
  readonly time: { nowMs: number };
  /** How long each sleep would have been, in milliseconds. */
  readonly sleeps: number[];
}

/** Creates a context with a terminal of 60 columns unless told otherwise. */
export function createRecordingContext(overrides: Partial<CliContext> = {}): RecordingContext {
  const written = { output: "", error: "" };
  const time = { nowMs: 0 };
  const sleeps: number[] = [];
  return {
    written,
    time,
    sleeps,
    writeOutput: (text) => {
      written.output += text;
    },
    hasOutput: () => written.output !== "",
    writeError: (text) => {
      written.error += text;
    },
    isErrorTerminal: true,
    isOutputTerminal: false,
    columns: 60,
    rows: 24,
    askUser: undefined,
    signal: new AbortController().signal,
    environment: {},
    clock: { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs },
    sleep: async (delayMs) => {
      sleeps.push(delayMs);
      time.nowMs += delayMs;
      await new Promise((settle) => setImmediate(settle));
    },
    ...overrides,
  };
}
