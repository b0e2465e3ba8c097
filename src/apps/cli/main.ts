import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { systemClock } from "../../base/clock.ts";
import { ignoreBrokenPipes } from "../broken-pipes.ts";
import type { CliContext } from "./cli-context.ts";
import { reportFailure } from "./failure.ts";

const MIN_COLUMNS = 20;
const DEFAULT_COLUMNS = 80;
const MIN_ROWS = 5;
const DEFAULT_ROWS = 24;

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  return String((manifest as { readonly version: unknown }).version);
}

/** The first signal asks the command to stop and clean up; a second one ends the process at once. */
function createInterruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      controller.abort(name);
    });
  }
  return controller.signal;
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline");
  process.stderr.write(question);
  // The terminal keeps its own editing, so that Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, terminal: false });
  const close = (): void => lines.close();
  signal.addEventListener("abort", close);
  return await new Promise((settle) => {
    let answer = "";
    lines.once("line", (line) => {
      answer = line;
      close();
    });
    // Also where the input ends, or the command is to stop; it sees that itself.
    lines.once("close", () => {
      signal.removeEventListener("abort", close);
      settle(answer);
    });
  });
}

function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    if (signal.aborted) return settle();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      settle();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener("abort", end);
  });
}

function createSystemContext(): CliContext {
  const signal = createInterruptSignal();
  let hasOutput = false;
  return {
    writeOutput: (text) => {
      hasOutput = true;
      process.stdout.write(text);
    },
    hasOutput: () => hasOutput,
    writeError: (text) => {
      process.stderr.write(text);
    },
    isErrorTerminal: process.stderr.isTTY === true,
    isOutputTerminal: process.stdout.isTTY === true,
    // Asked for anew each time: a window may be made larger.
    get columns() {
      return Math.max(MIN_COLUMNS, process.stderr.columns ?? process.stdout.columns ?? DEFAULT_COLUMNS);
    },
    get rows() {
      return Math.max(MIN_ROWS, process.stderr.rows ?? process.stdout.rows ?? DEFAULT_ROWS);
    },
    askUser:
      process.stdin.isTTY === true && process.stderr.isTTY === true ? (question) => ask(question, signal) : undefined,
    signal,
    environment: process.env,
    clock: systemClock,
    sleep,
  };
}

async function main(): Promise<void> {
  ignoreBrokenPipes();
  // Every running ffmpeg holds listeners of its own, and a batch may run more than the ten that Node warns about.
  process.setMaxListeners(0);
  const context = createSystemContext();
  const args = process.argv.slice(2);
  try {
    const { runProgram } = await import("./program.ts");
    process.exitCode = await runProgram(args, readVersion(), context);
  } catch (error) {
    process.exitCode = await reportFailure(error, args, context);
  }
}

await main();
